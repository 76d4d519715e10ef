"""Intervals as lines: where an estimate is, how far it is known, and what was asked of it. Positions in percent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsloop.evaluation.models import MetricSummary
from opsloop.evaluation.verdicts import Decision


@dataclass(frozen=True, slots=True)
class Drawing:
    """`needed` is the boundary of a rule, None without one; `label` says it all in words."""

    low: float
    high: float
    estimate: float
    needed: float | None
    label: str


def of_metric(summary: MetricSummary) -> Drawing | None:
    """A metric's mean with its 95 % interval; None when it has none."""
    if summary.value is None or summary.low is None or summary.high is None:
        return None
    label = f"{summary.value:.3g}, 95 % interval {summary.low:.3g} to {summary.high:.3g}"
    return _drawn(summary.low, summary.high, summary.value, None, label)


def of_decision(decision: Decision) -> Drawing | None:
    """What a rule speaks of, with the boundary it sets."""
    if decision.low is None or decision.high is None:
        return None
    estimate = decision.difference if decision.rule.margin is not None else decision.estimate
    if estimate is None:
        return None
    return _drawn(decision.low, decision.high, estimate, decision.rule.boundary, decision.sentence)


def _drawn(low: float, high: float, estimate: float, needed: float | None, label: str) -> Drawing:
    values = [low, high, estimate, *(() if needed is None else (needed,))]
    begin, end = _scale(values)

    def place(value: float) -> float:
        return round(100 * (value - begin) / (end - begin), 2)

    return Drawing(place(low), place(high), place(estimate), None if needed is None else place(needed), label)


def _scale(values: Sequence[float]) -> tuple[float, float]:
    """Shares from 0 to 1; differences around 0; anything else from 0 up."""
    least, most = min(values), max(values)
    if least >= 0 and most <= 1:
        return 0.0, 1.0
    if least < 0:
        reach = 1.1 * max(abs(least), abs(most))
        return -reach, reach
    return 0.0, 1.1 * most
