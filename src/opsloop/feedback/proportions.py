"""Shares of people with intervals that hold for few of them too."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z_95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


def wilson(count: int, of: int, *, z: float = Z_95) -> Interval | None:
    """The score interval of a share; None for a share of nothing.

    Source: E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927), 209-212.
    """
    if of == 0:
        return None
    share = count / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return Interval(0.0 if count == 0 else max(0.0, middle - half), 1.0 if count == of else min(1.0, middle + half))


def difference(count: int, of: int, before: int, of_before: int, *, z: float = Z_95) -> Interval | None:
    """The interval of the first share less the second one, of different people; None where one is of nothing.

    Source: R. G. Newcombe, Interval Estimation for the Difference between Independent Proportions, Statistics in
    Medicine 17 (1998), 873-890, method 10: a hybrid of two score intervals.
    """
    mine, theirs = wilson(count, of, z=z), wilson(before, of_before, z=z)
    if mine is None or theirs is None:
        return None
    p, q = count / of, before / of_before
    return Interval(
        p - q - math.hypot(p - mine.low, theirs.high - q),
        p - q + math.hypot(mine.high - p, q - theirs.low),
    )


def net_promoters(promoters: int, detractors: int, of: int, *, z: float = Z_95) -> tuple[float, float, float] | None:
    """The net promoter score from -100 to 100 with its interval; None for nobody.

    The difference of two shares of the same people: variance p + q - (p - q)^2 over n (A. Agresti, Categorical Data
    Analysis, 3rd ed. 2013, section 11.1, for shares of one multinomial sample); half a person is added to each of the
    two outer shares, so that an interval of few has a width (A. Agresti and Y. Min, Simple Improved Confidence
    Intervals for Comparing Matched Proportions, Statistics in Medicine 24 (2005), 729-740).
    """
    if of == 0:
        return None
    n, up, down = of + 2.0, promoters + 0.5, detractors + 0.5
    middle = (up - down) / n
    half = z * math.sqrt(max(0.0, (up + down) / n - middle * middle) / n)
    low, high = max(-1.0, middle - half), min(1.0, middle + half)
    return 100 * (promoters - detractors) / of, 100 * low, 100 * high
