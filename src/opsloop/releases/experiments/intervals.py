"""Intervals of differences as marks on one axis each, whose middle is no difference."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.releases.experiments.models import MetricReport

WIDTH = 200.0
"""Of an axis; no difference is at its middle."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A line from `low` to `high` with a point at `at`, in units of an axis of `WIDTH`."""

    low: float
    high: float
    at: float | None

    @property
    def width(self) -> float:
        return round(self.high - self.low, 1)


def bar(told: MetricReport) -> Bar:
    """The interval of a metric; the axis reaches a tenth further than its farther end, on both sides."""
    reach = 1.1 * max(abs(told.low), abs(told.high)) or 1.0

    def place(value: float) -> float:
        return round(WIDTH / 2.0 * (1.0 + value / reach), 1)

    return Bar(place(told.low), place(told.high), None if told.difference is None else place(told.difference))
