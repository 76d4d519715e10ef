"""How figures stand in a report."""

from __future__ import annotations

from opsloop.evaluation.comparison.models import Change, MetricChange
from opsloop.evaluation.models import MetricSummary
from opsloop.evaluation.verdicts import Verdict

NOTHING = "-"
MARKS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "❔"}
CHANGES = {
    Change.BETTER: "better",
    Change.WORSE: "worse",
    Change.UNCLEAR: "no difference shown",
    Change.SAME: "the same",
}


def figure(value: float | None, unit: str = "") -> str:
    """Three places for scores, whole numbers from 10 on, with the unit."""
    if value is None:
        return NOTHING
    text = f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}"
    return f"{text} {unit}" if unit else text


def short(value: float | None) -> str:
    """A score in a narrow cell."""
    return NOTHING if value is None else f"{value:.3g}"


def signed(value: float | None, unit: str = "") -> str:
    if value is None:
        return NOTHING
    return f"{'+' if value > 0 else ''}{figure(value, unit)}"


def money(value: float | None) -> str:
    """US dollars, with as many places as small sums need."""
    if value is None:
        return NOTHING
    return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.4g}"


def interval(low: float | None, high: float | None, unit: str = "") -> str:
    return NOTHING if low is None or high is None else f"{figure(low)} to {figure(high, unit)}"


def of_summary(summary: MetricSummary) -> str:
    return interval(summary.low, summary.high, summary.unit)


def of_change(change: MetricChange) -> str:
    low, high = signed(change.low), signed(change.high, change.unit)
    return NOTHING if change.low is None else f"{low} to {high}"
