"""The mean of scores by the bootstrap, resampling whole clusters where rows share one.

The interval is BCa (bias-corrected and accelerated), read off the bootstrap's own distribution (see `saddlepoint`) and
not off draws, so that no verdict hangs on a seed. Three things are added, because the plain bootstrap promises too much
for few rows:

* its normal quantiles are those of Student's t, with the degrees of freedom that the rows' kurtosis leaves
  (2 (n - 1) / (kurtosis - 1): n - 1 for normal rows, few when few rows differ at all);
* the spread is that of the jackknife, which is wider where clusters are few and of unequal size;
* no p-value is smaller than that of a sign test, 2^-n, so that one to four rows show nothing at 5 %.

A gate asks for more before it passes or fails a rule, see `unseen`.

The p-values are the interval read backwards, so that a p-value and a bound never contradict each other.

Sources: B. Efron, Better bootstrap confidence intervals, JASA 82 (1987), 171-185 (BCa; for a mean the bias and the
acceleration are both skewness / (6 sqrt(n))); T. C. Hesterberg, What teachers should know about the bootstrap, American
Statistician 69 (2015), 371-386, section 5.3 (the widening); B. O'Neill, Some useful moment results in sampling
problems, American Statistician 68 (2014), 282-296 (the degrees of freedom); C. A. Field, A. H. Welsh, Bootstrapping
clustered data, JRSS B 69 (2007), 369-390; J. G. MacKinnon, M. O. Nielsen, M. D. Webb, Leverage, influence, and the
jackknife in clustered regression models, Stata Journal 23 (2023), 942-982 (the jackknife's spread).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.statistics.distributions import student_cdf, student_quantile
from opsloop.evaluation.statistics.estimates import Estimate, Interval
from opsloop.evaluation.statistics.power import rows_for_gap
from opsloop.evaluation.statistics.rows import Floats, Span, checked, span_of
from opsloop.evaluation.statistics.saddlepoint import resampled_score
from opsloop.evaluation.statistics.unseen import NoSpread, Unseen

_NO_SPREAD = 1e-12
_CLOSE = 1e-7
"""How near a bound is sought, in standard errors."""


@dataclass(frozen=True, slots=True)
class BootstrappedMean:
    """A mean, or a ratio of sums, with its bootstrap distribution.

    Attributes:
        sums, weights: of each unit that is resampled (a row, or a cluster of rows): the sum of its values, and what
            the total is divided by, its number of rows or the sum of the baseline's values.
        acceleration: the bias and the acceleration of the BCa interval.
        error: the jackknife's standard error of the value.
        widening: the jackknife's variance over the bootstrap's.
        freedom: degrees of freedom of Student's t.
        unseen: what the units at hand could have missed.
    """

    value: float
    rows: int
    sums: Floats
    weights: Floats
    acceleration: float
    error: float
    widening: float
    freedom: float
    unseen: Unseen
    method: str

    @property
    def row_deviation(self) -> float:
        return self.error * math.sqrt(self.rows)

    def interval(self, confidence: float) -> Interval:
        tail = (1.0 - confidence) / 2.0
        if tail < self._floor:
            return Interval(self.value, self.unseen.span.low, self.unseen.span.high, self.method)
        return Interval(self.value, self._bound(tail), self._bound(1.0 - tail), self.method)

    def p_at_most(self, boundary: float) -> float:
        return max(self._level(boundary), self._floor)

    def p_at_least(self, boundary: float) -> float:
        return max(1.0 - self._level(boundary), self._floor)

    @property
    def _floor(self) -> float:
        return float(0.5**self.unseen.units)

    def _level(self, boundary: float) -> float:
        """The level at which `_bound` equals `boundary`."""
        shifted = resampled_score(self.sums - boundary * self.weights) - self.acceleration
        scale = 1.0 + self.acceleration * shifted
        if not scale > 0.0 or math.isinf(shifted):
            return 0.0 if shifted < 0.0 else 1.0
        z = shifted / scale - self.acceleration
        return student_cdf(z / math.sqrt(self.widening), self.freedom)

    def _bound(self, level: float) -> float:
        """The value below which the truth lies with chance `level`."""
        z = math.sqrt(self.widening) * student_quantile(level, self.freedom)
        scale = 1.0 - self.acceleration * (self.acceleration + z)
        wanted = self.acceleration + (self.acceleration + z) / scale if scale > 0.0 else math.copysign(math.inf, z)
        step = self.error * math.copysign(max(abs(z), 1.0), z)
        return _reached(lambda x: resampled_score(self.sums - x * self.weights) - wanted, self.value, step, self.error)

    def rows_to_clear(self, boundary: float, alpha: float) -> int | None:
        return rows_for_gap(self.value - boundary, self.row_deviation, alpha)


def mean_of(
    values: Floats, clusters: NDArray[np.int64] | None, *, span: Span, weights: Floats | None = None
) -> Estimate:
    """The mean of scores, as something that can be tested.

    Args:
        values: shape (n,), n >= 1, finite.
        clusters: the number of the cluster of each row, from 0, shape (n,); None when rows are independent.
        span: where unseen values may lie.
        weights: what the sum of the values is divided by, summed too, each 0 or more; unset: the number of rows.
    """
    sums, below = _units(values, np.ones(len(values)) if weights is None else weights, clusters)
    units, total = len(sums), float(below.sum())
    value = float(sums.sum()) / total
    influence = sums - value * below
    unseen = Unseen(value, units, span)
    if units == 1 or float(np.abs(influence).max()) <= _NO_SPREAD * max(1.0, abs(value)):
        return NoSpread(len(values), unseen)
    scaled = influence / np.abs(influence).max()
    square = float((scaled**2).mean())
    kurtosis = float((scaled**4).mean()) / square**2
    error = _jackknife(sums, below)
    return BootstrappedMean(
        value=value,
        rows=len(values),
        sums=sums,
        weights=below,
        acceleration=float((scaled**3).mean()) / square**1.5 / (6.0 * math.sqrt(units)),
        error=error,
        widening=error**2 / float((influence**2).sum()) * total**2,
        freedom=min(max(2.0 * (units - 1) / max(kurtosis - 1.0, 1e-9), 1.0), units - 1.0),
        unseen=unseen,
        method="BCa bootstrap" if clusters is None else f"BCa bootstrap of {units} clusters",
    )


def mean_interval(
    metric: str,
    values: Sequence[float | None],
    *,
    clusters: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The mean of a metric and its interval.

    Args:
        seed: asks for nothing today: no way of estimating a mean draws at random.
    Raises: InvalidInput naming the metric when no row was measured or a value is not a finite number.
    """
    rows = checked(metric, values, clusters=clusters)
    if not len(rows.candidate):
        raise InvalidInput(field=f"metric {metric}", value=[], wanted="at least one measured row")
    return mean_of(rows.candidate, rows.clusters, span=span_of(rows.candidate)).interval(confidence)


def _units(values: Floats, weights: Floats, clusters: NDArray[np.int64] | None) -> tuple[Floats, Floats]:
    """The sum and the weight of each unit that is resampled."""
    if clusters is None:
        return values, weights
    sums: Floats = np.bincount(clusters, weights=values).astype(np.float64)
    return sums, np.bincount(clusters, weights=weights).astype(np.float64)


def _jackknife(sums: Floats, weights: Floats) -> float:
    """The standard error of a ratio of sums, from leaving out each unit once."""
    rest = float(weights.sum()) - weights
    if float(rest.min()) <= 0.0:  # one unit holds all the weight: without it there is nothing to compare
        return math.inf
    without = (float(sums.sum()) - sums) / rest
    units = len(sums)
    return math.sqrt((units - 1) / units * float(((without - without.mean()) ** 2).sum()))


def _reached(rising: Callable[[float], float], start: float, step: float, error: float) -> float:
    """Where a rising function passes 0, going from `start` (where it lies on the other side) in steps that double.

    By false position with the Illinois rule, and by halves where an end is infinite. Source: M. Dowell, P. Jarratt,
    A modified regula falsi method for computing the root of an equation, BIT 11 (1971), 168-174.
    """
    near, far = start, start + step
    at_near, at_far = rising(near), rising(far)
    while at_near * at_far > 0.0 and abs(far - start) < 1e6 * error:
        near, at_near = far, at_far
        far += step
        step *= 2.0
        at_far = rising(far)
    for _ in range(100):
        if abs(far - near) <= _CLOSE * error or at_far == 0.0:
            break
        is_finite = math.isfinite(at_near) and math.isfinite(at_far)
        middle = far - at_far * (far - near) / (at_far - at_near) if is_finite else (near + far) / 2.0
        at_middle = rising(middle)
        if at_middle * at_far <= 0.0:
            near, at_near = far, at_far
        else:
            at_near *= 0.5
        far, at_far = middle, at_middle
    return far
