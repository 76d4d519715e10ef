"""The mean of scores by the bootstrap, resampling whole clusters where rows share one.

The interval is BCa (bias-corrected and accelerated), and its normal quantiles are widened to those of Student's t with
a factor sqrt(n / (n - 1)), because a bootstrap of few rows is too narrow by just that. The p-values are the same
interval read backwards, so that a p-value and a bound never contradict each other.

Sources: B. Efron, Better bootstrap confidence intervals, JASA 82 (1987), 171-185 (BCa; the acceleration of a mean is
skewness / (6 sqrt(n))); T. C. Hesterberg, What teachers should know about the bootstrap, American Statistician 69
(2015), 371-386, section 5.3 (the widening); C. A. Field, A. H. Welsh, Bootstrapping clustered data, JRSS B 69 (2007),
369-390 (resampling clusters).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.statistics.distributions import (
    normal_cdf,
    normal_quantile,
    student_cdf,
    student_quantile,
)
from opsloop.evaluation.statistics.estimates import Estimate, Interval
from opsloop.evaluation.statistics.power import rows_for_gap, rows_without_event
from opsloop.evaluation.statistics.rows import Floats, Span, checked, span_of

RESAMPLES = 10_000
_DRAWS_AT_ONCE = 1_000_000  # bounds the memory: 4 MB of indices and 8 MB of values
_NO_SPREAD = 1e-12


@dataclass(frozen=True, slots=True)
class BootstrappedMean:
    """A mean with its resampled means.

    Attributes:
        units: what was resampled: rows, or clusters of rows.
        resampled: the means of the resamples in ascending order, shape (resamples,).
        bias, acceleration: z0 and a of the BCa interval.
    """

    value: float
    rows: int
    units: int
    resampled: Floats
    bias: float
    acceleration: float
    method: str

    @property
    def row_deviation(self) -> float:
        return float(self.resampled.std()) * math.sqrt(self.rows * self._widening)

    @property
    def _widening(self) -> float:
        return self.units / (self.units - 1)

    def interval(self, confidence: float) -> Interval:
        tail = (1.0 - confidence) / 2.0
        return Interval(self.value, self._bound(tail), self._bound(1.0 - tail), self.method)

    def _bound(self, level: float) -> float:
        """The value below which the truth lies with chance `level`."""
        z = math.sqrt(self._widening) * student_quantile(level, self.units - 1)
        return float(np.quantile(self.resampled, normal_cdf(self._corrected(z))))

    def _corrected(self, z: float) -> float:
        shifted = self.bias + z
        scale = 1.0 - self.acceleration * shifted
        return self.bias + shifted / scale if scale > 0.0 else math.copysign(math.inf, shifted)

    def p_at_most(self, boundary: float) -> float:
        return self._level(boundary)

    def p_at_least(self, boundary: float) -> float:
        return 1.0 - self._level(boundary)

    def _level(self, boundary: float) -> float:
        """The level at which `_bound` equals `boundary`; at least one resample is thought to lie on either side."""
        shifted = normal_quantile(_share_below(self.resampled, boundary)) - self.bias
        scale = 1.0 + self.acceleration * shifted
        if scale <= 0.0:
            return 0.0 if shifted < 0.0 else 1.0
        z = shifted / scale - self.bias
        return student_cdf(z / math.sqrt(self._widening), self.units - 1)

    def rows_to_clear(self, boundary: float, alpha: float) -> int | None:
        return rows_for_gap(self.value - boundary, self.row_deviation, alpha)


@dataclass(frozen=True, slots=True)
class NoSpread:
    """A mean of rows that are all alike: a bootstrap of them would claim to be certain.

    Instead, a share of unseen rows is thought to lie at the far end of the span; n equal rows exclude a share of more
    than 1 - alpha^(1/n), as in the rule of three. At most half of the unseen rows is supposed to differ, so that a
    distant boundary takes as many rows as a sign test: five for alpha = 5 %.
    """

    value: float
    rows: int
    units: int
    span: Span
    method: str = "all rows alike (rule of three)"

    @property
    def row_deviation(self) -> float:
        return 0.0

    def interval(self, confidence: float) -> Interval:
        tail = (1.0 - confidence) / 2.0
        share = 1.0 - tail ** (1.0 / self.units)
        low = self.value - share * (self.value - self.span.low)
        high = self.value + share * (self.span.high - self.value)
        return Interval(self.value, low, high, self.method)

    def p_at_most(self, boundary: float) -> float:
        return self._p(boundary) if boundary < self.value else 1.0

    def p_at_least(self, boundary: float) -> float:
        return self._p(boundary) if boundary > self.value else 1.0

    def _p(self, boundary: float) -> float:
        return float((1.0 - self._share(boundary)) ** self.units)

    def _share(self, boundary: float) -> float:
        """The share of unseen rows at the far end of the span that would move the mean to the boundary, at most 1/2."""
        reach = self.value - self.span.low if boundary < self.value else self.span.high - self.value
        gap = abs(boundary - self.value)
        return gap / reach if gap < 0.5 * reach else 0.5

    def rows_to_clear(self, boundary: float, alpha: float) -> int | None:
        units = rows_without_event(self._share(boundary), alpha)
        return None if units is None else math.ceil(units * self.rows / self.units)


def mean_of(
    values: Floats, clusters: NDArray[np.int64] | None, *, span: Span, seed: int, resamples: int = RESAMPLES
) -> Estimate:
    """The mean of scores, as something that can be tested.

    Args:
        values: shape (n,), n >= 1, finite.
        clusters: the number of the cluster of each row, from 0, shape (n,); None when rows are independent.
        span: where unseen values may lie; matters only when all rows are alike.
    """
    sums, counts = _units(values, clusters)
    mean = float(values.mean())
    influence = sums - mean * counts
    if len(sums) == 1 or float(np.abs(influence).max()) <= _NO_SPREAD * max(1.0, abs(mean)):
        return NoSpread(mean, len(values), len(sums), span)
    resampled = np.sort(_resampled(sums, counts, np.random.default_rng(seed), resamples))
    scaled = influence / np.abs(influence).max()
    skew = float((scaled**3).sum()) / float((scaled**2).sum()) ** 1.5
    return BootstrappedMean(
        value=mean,
        rows=len(values),
        units=len(sums),
        resampled=resampled,
        bias=normal_quantile(_share_below(resampled, mean)),
        acceleration=skew / 6.0,
        method="BCa bootstrap" if clusters is None else f"BCa bootstrap of {len(sums)} clusters",
    )


def mean_interval(
    metric: str,
    values: Sequence[float | None],
    *,
    clusters: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """The mean of a metric and its interval.

    Raises: InvalidInput naming the metric when no row was measured or a value is not a finite number.
    """
    rows = checked(metric, values, clusters=clusters)
    if not len(rows.candidate):
        raise InvalidInput(field=f"metric {metric}", value=[], wanted="at least one measured row")
    mean = mean_of(rows.candidate, rows.clusters, span=span_of(rows.candidate), seed=seed, resamples=resamples)
    return mean.interval(confidence)


def _units(values: Floats, clusters: NDArray[np.int64] | None) -> tuple[Floats, Floats]:
    """The sum and the number of rows of each unit that is resampled."""
    if clusters is None:
        return values, np.ones(len(values))
    sums: Floats = np.bincount(clusters, weights=values).astype(np.float64)
    return sums, np.bincount(clusters).astype(np.float64)


def _resampled(sums: Floats, counts: Floats, rng: np.random.Generator, resamples: int) -> Floats:
    units = len(sums)
    means = np.empty(resamples)
    at_once = max(1, _DRAWS_AT_ONCE // units)
    for start in range(0, resamples, at_once):
        stop = min(start + at_once, resamples)
        drawn = rng.integers(units, size=(stop - start, units), dtype=np.int32)
        means[start:stop] = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    return means


def _share_below(resampled: Floats, boundary: float) -> float:
    """The share of resampled means below a value, ties counted half, kept away from 0 and 1."""
    below = int(np.searchsorted(resampled, boundary, side="left"))
    upto = int(np.searchsorted(resampled, boundary, side="right"))
    return ((below + upto) / 2.0 + 0.5) / (len(resampled) + 1.0)
