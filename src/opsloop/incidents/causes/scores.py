"""How far a metric left its reference: robust, so that one odd point before or after decides nothing."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from opsloop.incidents.causes.models import MetricSeries, SeriesKind

LEAST_REFERENCE = 2
"""Points without which there is no saying what is usual."""
FEW = 8
"""Points below which their own spread says little."""
JUST_BEFORE = 3
MAD_TO_SIGMA = 1.4826
"""Of a normal distribution: F. R. Hampel, The Influence Curve, JASA 69 (1974), 383-393."""
# Shares of the usual value below which no change counts, whatever the spread: a metric that never moved has none.
LEAST_SHARE = 0.05
LEAST_SHARE_OF_FEW = 0.15
LEAST_SHARE_OF_RATE = 0.001
_FALLS = frozenset({SeriesKind.AVAILABILITY})
_EITHER = frozenset({SeriesKind.TRAFFIC, SeriesKind.OTHER})
RATES = frozenset({SeriesKind.ERRORS, SeriesKind.AVAILABILITY})


@dataclass(frozen=True, slots=True)
class Departure:
    """Args: score: spreads by which the metric moved in its bad direction, at least 0; usual, now: in its unit;
    was_off: it stood where it stands before the start already."""

    series: MetricSeries
    score: float
    usual: float
    now: float
    was_off: bool = False

    @property
    def sentence(self) -> str:
        series = self.series
        place = f"of {series.service}" if series.way_from is None else f"from {series.way_from} to {series.service}"
        where = f"{series.metric} {place}"
        return f"{where} went from {self.usual:.4g} to {self.now:.4g}, {self.score:.1f} times its usual spread"


def departure(
    series: MetricSeries, started_s: float, until_s: float, *, requests: float | None = None
) -> Departure | None:
    """How far the points from the start on lie from those before; None where too few are there.

    The score is |mean after - median before| over the spread before. What the metric did just before the start already
    is no departure: the smaller of the distances from the median of all and of the last three points counts.

    Args:
        requests: that the points after the start are of, for a rate: its sampling error joins the spread.
    """
    split, end = bisect_left(series.times_s, started_s), bisect_left(series.times_s, until_s)
    before, after = series.values[:split], series.values[split:end]
    if len(before) < LEAST_REFERENCE or not after:
        return None
    usual, recent, now = median(before), median(before[-JUST_BEFORE:]), fmean(after)
    unit = spread(before, usual, is_rate=series.kind in RATES)
    if requests is not None and series.kind in RATES:
        unit = math.hypot(unit, _sampling_error(usual, now, requests))
    far, step = _signed(now - usual, series.kind) / unit, _signed(now - recent, series.kind) / unit
    score = max(0.0, min(far, step))
    return Departure(series, score if math.isfinite(score) else 0.0, usual, now, was_off=far > 2 * max(step, 1.0))


def _signed(difference: float, kind: SeriesKind) -> float:
    """Above 0 for the bad direction."""
    return abs(difference) if kind in _EITHER else -difference if kind in _FALLS else difference


def _sampling_error(usual: float, now: float, requests: float) -> float:
    """Standard error of a share of so many requests; shares are of 1, or of 100 where values are above 1."""
    whole = 100.0 if max(usual, now) > 1.0 else 1.0
    share = min(max(now / whole, 0.0), 1.0)
    count = max(requests, 1.0) + 2
    share = (share * (count - 2) + 1) / count
    return whole * math.sqrt(share * (1 - share) / count)


def spread(values: Sequence[float], middle: float, *, is_rate: bool = False) -> float:
    """1.4826 times the median absolute deviation, at least what the mean one gives and a share of the middle."""
    off = [abs(each - middle) for each in values]
    if is_rate:
        floor = LEAST_SHARE_OF_RATE * (100.0 if abs(middle) > 1.0 else 1.0)
    else:
        floor = (LEAST_SHARE if len(values) >= FEW else LEAST_SHARE_OF_FEW) * abs(middle)
    return max(MAD_TO_SIGMA * median(off), 1.2533 * fmean(off), floor, 1e-9)


def two_rates(errors: int, requests: int, errors_before: int, requests_before: int) -> float:
    """z of the difference of two error rates with Agresti-Caffo's added counts; above 0: it rose.

    Source: A. Agresti and B. Caffo, Simple and Effective Confidence Intervals, The American Statistician 54 (2000).
    """
    now, n = (errors + 1) / (requests + 2), requests + 2
    then, m = (errors_before + 1) / (requests_before + 2), requests_before + 2
    return (now - then) / math.sqrt(now * (1 - now) / n + then * (1 - then) / m)
