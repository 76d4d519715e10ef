"""How sure a record of successes and failures makes one of the next success."""

from __future__ import annotations

import math

_BISECTIONS = 60


def lower_bound(successes: int, failures: int, *, level: float = 0.95) -> float:
    """The lower end of the one-sided credible interval of a chance of success.

    Args:
        successes, failures: counts, 0 or more; the prior is uniform, Beta(1, 1).
        level: probability that the chance is above the answer, above 0 to below 1.
    Returns: the (1 - level) quantile of Beta(successes + 1, failures + 1), 0 to 1.
    Raises: ValueError for negative counts.
    Source: T. Bayes, An Essay towards solving a Problem in the Doctrine of Chances (1763). For whole numbers the
        distribution function of the Beta is a binomial tail: P(Beta(a, b) <= x) = P(Bin(a + b - 1, x) >= a).
    """
    if successes < 0 or failures < 0:
        raise ValueError(f"counts are 0 or more, not {successes} and {failures}")
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _below(middle, successes + 1, failures + 1) < 1 - level:
            low = middle
        else:
            high = middle
    return low


def _below(x: float, a: int, b: int) -> float:
    """P(Beta(a, b) <= x)."""
    n = a + b - 1
    logs = [
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(x) + (n - k) * math.log1p(-x)
        for k in range(a, n + 1)
    ]
    return math.fsum(map(math.exp, logs))
