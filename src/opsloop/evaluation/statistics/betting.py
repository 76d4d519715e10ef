"""Evidence that one of two is better, on paired bounded scores, which may be looked at after every pair.

Money is bet on each difference d in [-1, 1]: a share b of it on "the first is better" multiplies it by 1 + b d. If the
first is not better, the mean of d is at most 0 whatever came before, and nobody gets rich: the chance that the money
ever reaches 1/alpha times what it was is at most alpha, however often one looks. Several shares are bet side by side
with equal money, small ones for small differences.

Source: I. Waudby-Smith, A. Ramdas, Estimating means of bounded random variables by betting, JRSS B 86 (2024), 1-27,
section 4 (capital processes) and its convex combinations; J. Ville, Étude critique de la notion de collectif (1939).
"""

from __future__ import annotations

import math

BETS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
_LOG_COUNT = math.log(len(BETS))


class PairedBets:
    """The evidence so far that the first of two has the higher mean.

    Args:
        span: the most by which two scores can differ, > 0.
    """

    __slots__ = ("_logs", "_span", "pairs", "total")

    def __init__(self, span: float = 1.0) -> None:
        self._span = span
        self._logs = [0.0] * len(BETS)
        self.pairs = 0
        self.total = 0.0
        """Sum of the differences."""

    def add(self, difference: float) -> None:
        """Count the first's score minus the second's. Raises: ValueError beyond the span."""
        share = difference / self._span
        if not abs(share) <= 1.0 + 1e-9:
            raise ValueError(f"the difference {difference} is beyond the span {self._span}")
        share = max(-1.0, min(1.0, share))
        for place, bet in enumerate(BETS):
            self._logs[place] += math.log1p(bet * share)
        self.pairs += 1
        self.total += difference

    @property
    def log_e(self) -> float:
        """The natural logarithm of the e-value; 0 before the first pair."""
        top = max(self._logs)
        return top + math.log(math.fsum(math.exp(each - top) for each in self._logs)) - _LOG_COUNT

    @property
    def mean(self) -> float:
        """Mean difference; 0 before the first pair."""
        return self.total / self.pairs if self.pairs else 0.0
