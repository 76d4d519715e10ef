"""What an evaluator makes of a row, and of rows: how the tests of this folder ask."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.evaluation.evaluators import registry
from opsloop.evaluation.evaluators.asking import Asked


def score(name: str, options: Mapping[str, Any] | None = None, /, **values: Any) -> float | None:
    evaluator = registry.find(name, field="evaluators[0].name")
    given = {**dict.fromkeys(each.name for each in evaluator.inputs), **values}
    return evaluator.make_score(options or {})(given)


def figures(name: str, rows: Sequence[Mapping[str, Any]], options: Mapping[str, Any] | None = None) -> dict[str, float]:
    """The figures of all rows together, each row counting once."""
    import numpy as np

    evaluator = registry.find(name, field="evaluators[0].name")
    assert evaluator.make_aggregate is not None
    aggregate = evaluator.make_aggregate(options or {})
    blank = dict.fromkeys(each.name for each in evaluator.inputs)
    parts = [part for row in rows if (part := aggregate.part({**blank, **row})) is not None]
    found = aggregate.figures(parts, np.ones((1, len(parts))))
    return {figure: float(each.values[0]) for figure, each in found.items()}


def asked(name: str, rows: Sequence[Mapping[str, Any]], options: Mapping[str, Any] | None = None) -> Sequence[Asked]:
    evaluator = registry.find(name, field="evaluators[0].name")
    assert evaluator.make_ask is not None
    ask = evaluator.make_ask(options or {})
    assert ask is not None

    async def answer() -> Sequence[Asked]:
        return await ask(rows)

    return asyncio.run(answer())
