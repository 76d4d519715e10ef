"""Whether the figures of an answer are those that are wanted, and whether each of them stands in its source.

What a figure is: `opsloop.rag.figures`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.evaluators.registry import ANSWER, TRUTHS, Evaluator, Input, Score, register
from opsloop.evaluation.evaluators.values import text
from opsloop.rag.text.figures import figures_in, parts


def figures(options: Mapping[str, Any]) -> Score:
    """The share of the wanted figures that stand in the answer, or with `all` whether every one does; None for none."""
    is_strict = options.get("all", False)
    if not isinstance(is_strict, bool):
        raise ExperimentInvalid("options.all", "true or false", value=is_strict)

    def score(values: Mapping[str, Any]) -> float | None:
        wanted = list(figures_in(values["truth"]))
        there = list(figures_in(text(values, "answer")))
        found = sum(any(each.stands_for(one) and one.stands_for(each) for one in there) for each in wanted)
        return (float(found == len(wanted)) if is_strict else found / len(wanted)) if wanted else None

    return score


def figure_support(values: Mapping[str, Any]) -> float | None:
    """The share of the answer's figures that stand in the source, rounded or not; None when it has none."""
    claimed = list(figures_in(text(values, "answer")))
    known = [part for each in figures_in(values["source"]) for part in parts(each)]
    found = sum(any(each.stands_for(one) for one in known) for each in claimed)
    return found / len(claimed) if claimed else None


_SOURCE = Input("source", ("run.outputs.figures", "run.outputs.facts", "data.figures", "data.context"))
register(Evaluator("figures", (ANSWER, Input("truth", ("data.figures", *TRUTHS))), figures, options=("all",)))
register(Evaluator("figure_support", (ANSWER, _SOURCE), lambda _: figure_support))
