"""A figure with its bootstrap distribution, as something that can be tested: the BCa interval and its p-values.

The p-values are the interval read backwards, so that a p-value and a bound never contradict each other. Its normal
quantiles are those of Student's t, widened by sqrt(n / (n - 1)), because a bootstrap of few rows is too narrow by that.

Sources: B. Efron, Better bootstrap confidence intervals, JASA 82 (1987), 171-185; T. C. Hesterberg, What teachers
should know about the bootstrap, American Statistician 69 (2015), 371-386, section 5.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from opsloop.evaluation.statistics.distributions import (
    normal_cdf,
    normal_quantile,
    student_cdf,
    student_quantile,
)
from opsloop.evaluation.statistics.estimates import Interval
from opsloop.evaluation.statistics.power import rows_for_gap
from opsloop.evaluation.statistics.rows import Floats


@dataclass(frozen=True, slots=True)
class ResampledFigure:
    """Args:
    units: what was drawn: rows, or clusters of rows; 2 or more.
    resampled: the figure of each resample in ascending order.
    acceleration: of the BCa interval.
    """

    value: float
    rows: int
    units: int
    resampled: Floats
    acceleration: float
    method: str = "BCa bootstrap of the figure"

    @property
    def row_deviation(self) -> float:
        return float(self.resampled.std()) * math.sqrt(self.rows * self._widening)

    @property
    def _widening(self) -> float:
        return self.units / (self.units - 1)

    @property
    def _bias(self) -> float:
        return normal_quantile(self._share_below(self.value))

    def interval(self, confidence: float) -> Interval:
        tail = (1.0 - confidence) / 2.0
        return Interval(self.value, self._bound(tail), self._bound(1.0 - tail), self.method)

    def p_at_most(self, boundary: float) -> float:
        return self._level(boundary)

    def p_at_least(self, boundary: float) -> float:
        return 1.0 - self._level(boundary)

    def rows_to_clear(self, boundary: float, alpha: float) -> int | None:
        return rows_for_gap(self.value - boundary, self.row_deviation, alpha)

    def _bound(self, level: float) -> float:
        """The value below which the truth lies with chance `level`."""
        shifted = self._bias + math.sqrt(self._widening) * student_quantile(level, self.units - 1)
        scale = 1.0 - self.acceleration * shifted
        z = self._bias + shifted / scale if scale > 0.0 else math.copysign(math.inf, shifted)
        return float(np.quantile(self.resampled, normal_cdf(z)))

    def _level(self, boundary: float) -> float:
        """The level at which `_bound` equals `boundary`; at least one resample is thought to lie on either side."""
        shifted = normal_quantile(self._share_below(boundary)) - self._bias
        scale = 1.0 + self.acceleration * shifted
        if scale <= 0.0:
            return 0.0 if shifted < 0.0 else 1.0
        z = shifted / scale - self._bias
        return student_cdf(z / math.sqrt(self._widening), self.units - 1)

    def _share_below(self, boundary: float) -> float:
        """The share of resamples below a value, ties counted half, kept away from 0 and 1."""
        below = int(np.searchsorted(self.resampled, boundary, side="left"))
        upto = int(np.searchsorted(self.resampled, boundary, side="right"))
        return ((below + upto) / 2.0 + 0.5) / (len(self.resampled) + 1.0)
