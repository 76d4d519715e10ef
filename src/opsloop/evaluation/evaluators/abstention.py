"""Whether the flow answered what can be answered and abstained from the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from opsloop.evaluation.evaluators.registry import ABSTAINED, ANSWERABLE, Evaluator, register
from opsloop.evaluation.evaluators.values import flag


def abstention(values: Mapping[str, Any]) -> float | None:
    """1 when it abstained exactly if the question is not answerable; None where the data do not say."""
    answerable = flag(values, "answerable")
    return None if answerable is None else float(bool(flag(values, "abstained")) != answerable)


_INPUTS = (replace(ABSTAINED, required=True), replace(ANSWERABLE, required=True))
register(Evaluator("abstention", _INPUTS, lambda _: abstention))
