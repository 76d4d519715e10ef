"""Intervals for a proportion: Wilson to show, Clopper-Pearson to decide."""

from __future__ import annotations

import math
from dataclasses import dataclass

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.statistics.distributions import (
    beta_quantile,
    binomial_at_least,
    binomial_at_most,
    normal_quantile,
)
from opsloop.evaluation.statistics.estimates import Interval
from opsloop.evaluation.statistics.power import MOST_ROWS, rows_for_gap


def wilson(successes: int, rows: int, confidence: float = 0.95) -> Interval:
    """The score interval of a proportion: close to its nominal coverage on average, so good for display.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927), 209-212.
    """
    _check(successes, rows, confidence)
    z = normal_quantile(0.5 + confidence / 2.0)
    rate = successes / rows
    centre = rate + z * z / (2.0 * rows)
    half = z * math.sqrt(rate * (1.0 - rate) / rows + z * z / (4.0 * rows * rows))
    scale = 1.0 + z * z / rows
    low = 0.0 if successes == 0 else (centre - half) / scale
    high = 1.0 if successes == rows else (centre + half) / scale
    return Interval(rate, low, high, "Wilson")


def clopper_pearson(successes: int, rows: int, confidence: float = 0.95) -> Interval:
    """The exact interval of a proportion: never below its nominal coverage.

    Source: C. J. Clopper, E. S. Pearson, The use of confidence or fiducial limits, Biometrika 26 (1934), 404-413.
    """
    _check(successes, rows, confidence)
    tail = (1.0 - confidence) / 2.0
    low = beta_quantile(tail, successes, rows - successes + 1) if successes > 0 else 0.0
    high = beta_quantile(1.0 - tail, successes + 1, rows - successes) if successes < rows else 1.0
    return Interval(successes / rows, low, high, "Clopper-Pearson")


def _check(successes: int, rows: int, confidence: float) -> None:
    if rows < 1:
        raise InvalidInput(field="rows", value=rows, wanted="a count of 1 or more")
    if not 0 <= successes <= rows:
        raise InvalidInput(field="successes", value=successes, wanted=f"a count from 0 to {rows}")
    if not 0.0 < confidence < 1.0:
        raise InvalidInput(field="confidence", value=confidence, wanted="a number above 0 and below 1")


@dataclass(frozen=True, slots=True)
class ExactProportion:
    """The share of rows that are 1, tested with the exact binomial distribution."""

    successes: int
    rows: int
    method: str = "exact binomial (Clopper-Pearson)"

    @property
    def value(self) -> float:
        return self.successes / self.rows

    @property
    def row_deviation(self) -> float:
        return math.sqrt(self.value * (1.0 - self.value))

    def interval(self, confidence: float) -> Interval:
        return clopper_pearson(self.successes, self.rows, confidence)

    def p_at_most(self, boundary: float) -> float:
        if boundary < 0.0:
            return 0.0
        return binomial_at_least(self.successes, self.rows, min(boundary, 1.0))

    def p_at_least(self, boundary: float) -> float:
        if boundary > 1.0:
            return 0.0
        return binomial_at_most(self.successes, self.rows, max(boundary, 0.0))

    def rows_to_clear(self, boundary: float, alpha: float) -> int | None:
        """The larger of the normal formula with its power and the exact test at the rate seen."""
        by_power = rows_for_gap(self.value - boundary, self.row_deviation, alpha)
        exactly = self._rows_exactly(boundary, alpha)
        return max(by_power, exactly) if by_power is not None and exactly is not None else None

    def _rows_exactly(self, boundary: float, alpha: float) -> int | None:
        """The first number of rows, doubling and then halving, at which the rate seen would exclude the boundary."""
        high = max(self.rows, 1)
        while not self._at(high)._excludes(boundary, alpha):
            high *= 2
            if high > MOST_ROWS:
                return None
        low = 0
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._at(middle)._excludes(boundary, alpha) else (middle, high)
        return high

    def _at(self, rows: int) -> ExactProportion:
        return ExactProportion(round(self.value * rows), rows)

    def _excludes(self, boundary: float, alpha: float) -> bool:
        return min(self.p_at_most(boundary), self.p_at_least(boundary)) <= alpha
