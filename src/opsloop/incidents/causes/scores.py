"""How far a metric left its reference: robust, so that one odd point before or after decides nothing."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from opsloop.incidents.causes.models import MetricSeries, SeriesKind

LEAST_REFERENCE = 4
"""Points without which there is no saying what is usual."""
MAD_TO_SIGMA = 1.4826
"""Of a normal distribution: F. R. Hampel, The Influence Curve, JASA 69 (1974), 383-393."""
# A share of the usual value below which no change counts, whatever the spread: a metric that never moved has none.
LEAST_SHARE = 0.05
_FALLS = frozenset({SeriesKind.AVAILABILITY})
_EITHER = frozenset({SeriesKind.TRAFFIC, SeriesKind.OTHER})
_RATES = frozenset({SeriesKind.ERRORS, SeriesKind.AVAILABILITY})


@dataclass(frozen=True, slots=True)
class Departure:
    """Args: score: spreads by which the metric moved in its bad direction, at least 0; usual, now: medians."""

    series: MetricSeries
    score: float
    usual: float
    now: float
    points: int

    @property
    def sentence(self) -> str:
        where = f"{self.series.metric} of {self.series.service}"
        return f"{where} went from {self.usual:.4g} to {self.now:.4g}, {self.score:.1f} times its usual spread"


def departure(series: MetricSeries, started_s: float, until_s: float) -> Departure | None:
    """How far the points from the start on lie from those before; None where too few are there.

    The score is |mean after - median before| over the spread before: 1.4826 times the median absolute deviation, at
    least what the mean absolute deviation gives and 5 % of the usual value. Rates, which are mostly constant, use
    at least 0.01 of their whole.
    """
    split, end = bisect_left(series.times_s, started_s), bisect_left(series.times_s, until_s)
    before, after = series.values[:split], series.values[split:end]
    if len(before) < LEAST_REFERENCE or not after:
        return None
    usual, now = median(before), fmean(after)
    score = abs(now - usual) / spread(before, usual, is_rate=series.kind in _RATES)
    is_bad = now > usual if series.kind not in _FALLS else now < usual
    if not is_bad and series.kind not in _EITHER:
        score = 0.0
    return Departure(series, score if math.isfinite(score) else 0.0, usual, now, len(after))


def spread(values: Sequence[float], middle: float, *, is_rate: bool = False) -> float:
    """Above 0, in the unit of the values."""
    off = [abs(each - middle) for each in values]
    whole = max(1.0, abs(middle)) if is_rate else abs(middle)
    floor = 0.01 * whole if is_rate else LEAST_SHARE * whole
    return max(MAD_TO_SIGMA * median(off), 1.2533 * fmean(off), floor, 1e-9)


def two_rates(errors: int, requests: int, errors_before: int, requests_before: int) -> float:
    """z of the difference of two error rates with pooled variance and Agresti-Caffo's added counts; above 0: it rose.

    Source: A. Agresti and B. Caffo, Simple and Effective Confidence Intervals, The American Statistician 54 (2000).
    """
    now, n = (errors + 1) / (requests + 2), requests + 2
    then, m = (errors_before + 1) / (requests_before + 2), requests_before + 2
    return (now - then) / math.sqrt(now * (1 - now) / n + then * (1 - then) / m)
