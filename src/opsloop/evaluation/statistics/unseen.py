"""What the rows at hand could have missed: the rule of three, for every mean.

If a share s of all rows were as bad as can be, n rows would hold none of them with chance (1 - s)^n. A claim that such
a share would turn has at least this p-value, however little the rows at hand differ. So it takes 59 rows, or 59
conversations, to show that a metric between 0 and 1 did not fall by 0.05: 0.95^59 < 0.05 < 0.95^58. A bootstrap knows
nothing of what it has not seen, and passes a regression on one conversation in seven by the luck of ten draws.

Source: J. A. Hanley, A. Lippman-Hand, If nothing goes wrong, is everything all right?, JAMA 249 (1983), 1743-1745.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from opsloop.evaluation.statistics.estimates import Estimate, Interval
from opsloop.evaluation.statistics.power import rows_without_event
from opsloop.evaluation.statistics.rows import Span


@dataclass(frozen=True, slots=True)
class Unseen:
    """What so many units (rows, or clusters of rows) with this mean could have missed at the ends of a span."""

    value: float
    units: int
    span: Span

    def p(self, boundary: float) -> float:
        """The least p-value of the claim that the truth lies on the mean's side of the boundary."""
        return float((1.0 - self.share(boundary)) ** self.units)

    def share(self, boundary: float) -> float:
        """The share of units at the far end that would move the mean to the boundary, at most 1/2.

        At most half, so that a distant boundary takes as many units as a sign test: five for alpha = 5 %.
        """
        reach = self.value - self.span.low if boundary < self.value else self.span.high - self.value
        gap = abs(boundary - self.value)
        return gap / reach if gap < 0.5 * reach else 0.5

    def bound(self, level: float, *, above: bool) -> float:
        """The farthest mean, with so many units at the far end that these could miss them with chance `level`."""
        share = 1.0 - level ** (1.0 / self.units)
        far = self.span.high if above else self.span.low
        return far if share > 0.5 else self.value + share * (far - self.value)

    def rows_to_clear(self, boundary: float, alpha: float, rows: int) -> int | None:
        units = rows_without_event(self.share(boundary), alpha)
        return None if units is None else math.ceil(units * rows / self.units)


@dataclass(frozen=True, slots=True)
class NoSpread:
    """A mean of rows that are all alike: what they could have missed is all that is not known of it."""

    rows: int
    unseen: Unseen
    method: str = "all rows alike (rule of three)"

    @property
    def value(self) -> float:
        return self.unseen.value

    @property
    def row_deviation(self) -> float:
        return 0.0

    def interval(self, confidence: float) -> Interval:
        tail = (1.0 - confidence) / 2.0
        low, high = self.unseen.bound(tail, above=False), self.unseen.bound(tail, above=True)
        return Interval(self.value, low, high, self.method)

    def p_at_most(self, boundary: float) -> float:
        return self.unseen.p(boundary) if boundary < self.value else 1.0

    def p_at_least(self, boundary: float) -> float:
        return self.unseen.p(boundary) if boundary > self.value else 1.0

    def rows_to_clear(self, boundary: float, alpha: float) -> int | None:
        return self.unseen.rows_to_clear(boundary, alpha, self.rows)


@dataclass(frozen=True, slots=True)
class Guarded:
    """An estimate that claims no more than what its rows could not have missed; for spans that are known."""

    estimate: Estimate
    unseen: Unseen

    @property
    def value(self) -> float:
        return self.estimate.value

    @property
    def rows(self) -> int:
        return self.estimate.rows

    @property
    def row_deviation(self) -> float:
        return self.estimate.row_deviation

    @property
    def method(self) -> str:
        return self.estimate.method

    def interval(self, confidence: float) -> Interval:
        tail = (1.0 - confidence) / 2.0
        found = self.estimate.interval(confidence)
        low = min(found.low, self.unseen.bound(tail, above=False))
        return Interval(self.value, low, max(found.high, self.unseen.bound(tail, above=True)), self.method)

    def p_at_most(self, boundary: float) -> float:
        p_value = self.estimate.p_at_most(boundary)
        return max(p_value, self.unseen.p(boundary)) if boundary < self.value else p_value

    def p_at_least(self, boundary: float) -> float:
        p_value = self.estimate.p_at_least(boundary)
        return max(p_value, self.unseen.p(boundary)) if boundary > self.value else p_value

    def rows_to_clear(self, boundary: float, alpha: float) -> int | None:
        by_spread = self.estimate.rows_to_clear(boundary, alpha)
        by_luck = self.unseen.rows_to_clear(boundary, alpha, self.rows)
        return None if by_spread is None or by_luck is None else max(by_spread, by_luck)
