"""Intervals as lines: where an estimate is, how far it is known, and what was asked of it. Positions in percent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsloop.evaluation.comparison.models import MetricChange
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
    return of_figure(summary.value, summary.low, summary.high)


def of_change(change: MetricChange) -> Drawing | None:
    """A difference of two runs; what it is asked for is 0."""
    if change.difference is None or change.low is None or change.high is None:
        return None
    label = f"{change.metric} {change.difference:+.3g}, 95 % interval {change.low:.3g} to {change.high:.3g}"
    return _drawn(change.low, change.high, change.difference, 0.0, label)


def of_figure(value: float | None, low: float | None, high: float | None) -> Drawing | None:
    """A mean with its interval."""
    if value is None or low is None or high is None:
        return None
    return _drawn(low, high, value, None, f"{value:.3g}, 95 % interval {low:.3g} to {high:.3g}")


def of_decision(decision: Decision) -> Drawing | None:
    """What a rule speaks of, with the boundary it sets."""
    if decision.low is None or decision.high is None:
        return None
    estimate = decision.difference if decision.speaks_of_difference else decision.estimate
    if estimate is None:
        return None
    return _drawn(decision.low, decision.high, estimate, decision.boundary, decision.sentence)


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
