"""From which value on a row passes a metric, so that a row can be said to have broken or to have been mended.

A rule on flips may say it (`pass_at`). For scores from 0 to 1 it is the middle of the scale else, which for a metric of
0 and 1 is passing or failing itself; for others, such as a latency, the gate's own threshold where it has one. Without
one no value is a pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opsloop.evaluation.verdicts import Rule

MIDDLE = 0.5


def passing_value(metric: str, rules: Sequence[Rule], scores: Iterable[float]) -> float | None:
    """The value from which on a row passes; None when none is a pass."""
    said = next((rule.pass_at for rule in rules if rule.metric == metric and rule.pass_at is not None), None)
    if said is not None:
        return said
    if all(0.0 <= score <= 1.0 for score in scores):
        return MIDDLE
    means = [rule for rule in rules if rule.metric == metric and rule.slice is None]
    named = (rule.at_least if rule.at_least is not None else rule.at_most for rule in means)
    return next((threshold for threshold in named if threshold is not None), None)


def passes(score: float, passing: float, *, higher_is_better: bool) -> bool:
    return score >= passing if higher_is_better else score <= passing
