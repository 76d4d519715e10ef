"""What every way of estimating a mean can answer, so that one decision rule serves all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and the interval around it, in the unit of the metric."""

    estimate: float
    low: float
    high: float
    method: str


class Estimate(Protocol):
    """An estimated mean, rate or difference, and how surely it lies on one side of a value."""

    @property
    def value(self) -> float: ...

    @property
    def rows(self) -> int: ...

    @property
    def row_deviation(self) -> float:
        """Standard error times the square root of the rows: how much one row weighs."""
        ...

    @property
    def method(self) -> str: ...

    def interval(self, confidence: float) -> Interval: ...

    def p_at_most(self, boundary: float) -> float:
        """The p-value of the hypothesis that the truth is at most `boundary`; small shows that it is above."""
        ...

    def p_at_least(self, boundary: float) -> float:
        """The p-value of the hypothesis that the truth is at least `boundary`; small shows that it is below."""
        ...

    def rows_to_clear(self, boundary: float, alpha: float) -> int | None:
        """Rows from which `boundary` would be excluded at level alpha, if all else stays; None when never."""
        ...
