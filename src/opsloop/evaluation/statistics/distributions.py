"""The distribution functions that the tests need, so that no SciPy is needed at run time.

All are accurate to about 1e-12, and are checked against SciPy's values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

_NORMAL = NormalDist()
_TINY = 1e-300
_BISECTIONS = 200
_NEWTON_STEPS = 50
_FEW_DEGREES = 4.0  # below, the tails are too heavy for Newton's steps to be quick


def normal_cdf(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def normal_quantile(probability: float) -> float:
    return _NORMAL.inv_cdf(probability)


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b) for a, b > 0.

    Source: NIST Digital Library of Mathematical Functions, 8.17.22 (continued fraction) and 8.17.4 (reflection).
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - beta_cdf(1.0 - x, b, a)
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x) - math.log(a)
    )
    return math.exp(log_front) / _beta_fraction(x, a, b)


def _beta_fraction(x: float, a: float, b: float) -> float:
    """The continued fraction 1 + d1/(1 + d2/(1 + ...)), by the modified Lentz method (DLMF 3.10.7)."""
    value, numerator, denominator = 1.0, 1.0, 0.0
    for step in range(1, 100_000):
        half = step // 2
        if step % 2:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            term = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        denominator = 1.0 / _away_from_zero(1.0 + term * denominator)
        numerator = _away_from_zero(1.0 + term / numerator)
        change = numerator * denominator
        value *= change
        if abs(change - 1.0) < 1e-15:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def beta_quantile(probability: float, a: float, b: float) -> float:
    return crossing(lambda x: beta_cdf(x, a, b) - probability, 0.0, 1.0)


def binomial_at_least(successes: int, rows: int, rate: float) -> float:
    """P(K >= successes) for K successes in `rows` draws at `rate`."""
    if successes <= 0:
        return 1.0
    return beta_cdf(rate, successes, rows - successes + 1)


def binomial_at_most(successes: int, rows: int, rate: float) -> float:
    """P(K <= successes) for K successes in `rows` draws at `rate`."""
    if successes >= rows:
        return 1.0
    return beta_cdf(1.0 - rate, rows - successes, successes + 1)


def student_cdf(t: float, freedom: float) -> float:
    tail = 0.5 * beta_cdf(freedom / (freedom + t * t), freedom / 2.0, 0.5)
    return tail if t < 0 else 1.0 - tail


def student_quantile(probability: float, freedom: float) -> float:
    """By Newton's steps from the normal quantile; halves of the way to 0 where a step would pass it."""
    if probability > 0.5:
        return -student_quantile(1.0 - probability, freedom)
    if freedom < _FEW_DEGREES:
        return _student_by_bisection(probability, freedom)
    t = normal_quantile(probability) if probability < 0.5 else 0.0
    scale = math.lgamma((freedom + 1.0) / 2.0) - math.lgamma(freedom / 2.0) - 0.5 * math.log(freedom * math.pi)
    for _ in range(_NEWTON_STEPS):
        density = math.exp(scale - (freedom + 1.0) / 2.0 * math.log1p(t * t / freedom))
        step = (student_cdf(t, freedom) - probability) / density
        t = t - step if t - step < 0.0 else t / 2.0
        if abs(step) <= 1e-13 * max(1.0, abs(t)):
            break
    return t


def _student_by_bisection(probability: float, freedom: float) -> float:
    low = -1.0
    while student_cdf(low, freedom) > probability:
        low *= 2.0
    return crossing(lambda t: student_cdf(t, freedom) - probability, low, 0.0)


def crossing(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function passes zero between `low` and `high`, by bisection."""
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        if rising(middle) < 0.0:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
