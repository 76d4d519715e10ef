"""Probabilities of classes as a model gives them, beside the true class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.core.errors import shown
from opsloop.evaluation.errors import CannotScore
from opsloop.evaluation.evaluators.parsed import number_of
from opsloop.evaluation.evaluators.registry import TRUTHS, Input
from opsloop.evaluation.evaluators.values import text

SCORES = Input("scores", ("run.outputs.scores", "run.outputs.probabilities"))
TRUE_CLASS = Input("truth", ("data.label", "data.category", *TRUTHS))
# What sums of rounded probabilities may be off by.
SLACK = 1e-3


def probabilities(values: Mapping[str, Any]) -> dict[str, float]:
    """By class its probability. Raises: CannotScore."""
    scores = values["scores"]
    if not isinstance(scores, Mapping) or not scores:
        raise CannotScore(f"scores is {shown(scores)}; wanted the probability of each class by its name")
    found = {str(name): number_of(value, f"scores.{name}") for name, value in scores.items()}
    if min(found.values()) < 0.0 or abs(sum(found.values()) - 1.0) > SLACK:
        raise CannotScore(f"scores is {shown(scores)}; wanted probabilities, from 0 to 1 and 1 together")
    return found


def true_class(values: Mapping[str, Any]) -> str:
    return text(values, "truth")
