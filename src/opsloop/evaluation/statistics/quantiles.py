"""A quantile of a metric, such as the 95th percentile of a latency.

"The p95 is at most 2,000" says no more and no less than "at least 95 % of rows are at most 2,000", so it is tested as
that share: exactly, or by the bootstrap where rows share clusters. The interval's ends are two of the rows, those whose
ranks the same test cannot exclude.

Sources: H. A. David, H. N. Nagaraja, Order Statistics, 3rd ed. (2003), section 7.1 (the interval); R. S. Woodruff,
Confidence intervals for medians and other position measures, JASA 47 (1952), 635-646 (through the share, which also
serves clustered rows).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opsloop.evaluation.statistics.bootstrap import mean_of
from opsloop.evaluation.statistics.distributions import binomial_at_most
from opsloop.evaluation.statistics.estimates import Estimate, Interval
from opsloop.evaluation.statistics.intervals import ExactProportion
from opsloop.evaluation.statistics.rows import Floats, Span


@dataclass(frozen=True, slots=True)
class Quantile:
    """The value that `share` of the rows do not exceed.

    Args:
        values: shape (n,); clusters: as in `mean_of`.
        with_equal: whether rows that equal a boundary count as below it, which they do for "at most".
    """

    values: Floats
    clusters: NDArray[np.int64] | None
    share: float
    with_equal: bool

    @property
    def rows(self) -> int:
        return len(self.values)

    @property
    def value(self) -> float:
        return float(np.sort(self.values)[max(0, math.ceil(self.share * self.rows) - 1)])

    @property
    def row_deviation(self) -> float:
        return self._below(self.value).row_deviation

    @property
    def method(self) -> str:
        return "order statistics (binomial)" if self.clusters is None else "order statistics, share of clusters"

    def interval(self, confidence: float) -> Interval:
        """Its ends are rows; infinite where no row lies beyond that rank, as above the p95 of 40 rows."""
        tail = (1.0 - confidence) / 2.0
        low, high = self._ranks(tail) if self.clusters is None else self._ranks_of_clusters(confidence)
        ordered = np.sort(self.values)
        return Interval(
            self.value,
            float(ordered[low]) if low >= 0 else -math.inf,
            float(ordered[high]) if high < self.rows else math.inf,
            self.method,
        )

    def p_at_most(self, boundary: float) -> float:
        return self._below(boundary).p_at_least(self.share)

    def p_at_least(self, boundary: float) -> float:
        return self._below(boundary).p_at_most(self.share)

    def rows_to_clear(self, boundary: float, alpha: float) -> int | None:
        return self._below(boundary).rows_to_clear(self.share, alpha)

    def _below(self, boundary: float) -> Estimate:
        """The share of rows below a boundary."""
        below = self.values <= boundary if self.with_equal else self.values < boundary
        if self.clusters is None:
            return ExactProportion(int(below.sum()), self.rows)
        return mean_of(below.astype(np.float64), self.clusters, span=Span(0.0, 1.0))

    def _ranks(self, tail: float) -> tuple[int, int]:
        """Places, from 0, of the nearest rows with at most `tail` chance beyond them; -1 and n when there is none."""
        low = _first(lambda place: binomial_at_most(place, self.rows, self.share) > tail, self.rows) - 1
        high = _first(lambda place: 1.0 - binomial_at_most(place, self.rows, self.share) <= tail, self.rows)
        return low, high

    def _ranks_of_clusters(self, confidence: float) -> tuple[int, int]:
        shares = self._below(self.value).interval(confidence)
        reach_low, reach_high = self.share - (shares.high - shares.estimate), self.share + shares.estimate - shares.low
        return math.ceil(reach_low * self.rows) - 2, math.ceil(reach_high * self.rows)


def _first(holds: Callable[[int], bool], end: int) -> int:
    """The first place from 0 at which a condition holds that goes on to hold; `end` when there is none."""
    low, high = 0, end
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
