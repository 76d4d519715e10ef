"""Confidence sequences: intervals for a mean, and for the difference of two, that hold at every look at once.

For observations in [0, 1] that have the mean mu given the past, with weights w_i that depend on the past alone, the
predictable plug-in empirical Bernstein sequence is

    sum(w_i x_i) / sum(w_i)  +-  (log(2 / alpha) + sum(v_i psi(w_i))) / sum(w_i)

    v_i = 4 (x_i - m_{i-1})^2      psi(w) = (-log(1 - w) - w) / 4
    w_i = min(c, sqrt(2 log(2 / alpha) / (s2_{i-1} i log(1 + i))))
    m_i = (1/2 + sum x) / (i + 1)      s2_i = (1/4 + sum (x_j - m_j)^2) / (i + 1)

The chance that it ever misses mu is at most alpha, however often and whenever one looks, without assuming more of the
observations than their bounds. (Intervals of earlier looks are not intersected: where mu moves with the hour the
sequence is about its weighted mean so far, which moves too.) The difference of two arms has one of each arm at
alpha / 2: by the union bound both hold at once, whatever share of users each arm got.

Sources: I. Waudby-Smith, A. Ramdas, Estimating means of bounded random variables by betting, JRSS B 86 (2024), 1-27,
theorem 2; S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, Time-uniform, nonparametric, nonasymptotic confidence
sequences, Annals of Statistics 49 (2021), 1055-1080.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from opsloop.core.errors import InvalidInput

MAX_WEIGHT = 0.75


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, both included."""

    low: float
    high: float


class MeanSequence:
    """The mean of observations in [0, 1].

    Args:
        alpha: the chance that the interval ever misses it, above 0 to below 1.
    """

    __slots__ = ("_log", "_slack", "_squares", "_sum", "_weighted", "_weights", "count")

    def __init__(self, alpha: float) -> None:
        if not 0.0 < alpha < 1.0:
            raise InvalidInput(field="alpha", value=alpha, wanted="a number above 0 and below 1")
        self._log = math.log(2.0 / alpha)
        self.count = 0
        self._sum = self._weighted = self._weights = self._slack = 0.0
        self._squares = 0.25

    def observe(self, value: float) -> None:
        """Raises: InvalidInput outside of 0 to 1."""
        if not 0.0 <= value <= 1.0:
            raise InvalidInput(field="observation", value=value, wanted="a number from 0 to 1")
        at = self.count + 1
        variance = self._squares / at
        weight = min(MAX_WEIGHT, math.sqrt(2.0 * self._log / (variance * at * math.log1p(at))))
        before = (0.5 + self._sum) / at
        self._weighted += weight * value
        self._weights += weight
        self._slack += (value - before) ** 2 * (-math.log1p(-weight) - weight)
        self.count = at
        self._sum += value
        self._squares += (value - (0.5 + self._sum) / (at + 1)) ** 2

    @property
    def mean(self) -> float | None:
        """Of the observations; None before the first."""
        return self._sum / self.count if self.count else None

    @property
    def interval(self) -> Interval:
        """Where the mean lies; 0 to 1 before anything was seen."""
        if not self.count:
            return Interval(0.0, 1.0)
        middle, half = self._weighted / self._weights, (self._log + self._slack) / self._weights
        return Interval(max(0.0, middle - half), min(1.0, middle + half))


def difference(candidate: MeanSequence, stable: MeanSequence) -> Interval:
    """Where the candidate's mean less stable's lies; both hold together with the sum of their alphas."""
    of_candidate, of_stable = candidate.interval, stable.interval
    return Interval(of_candidate.low - of_stable.high, of_candidate.high - of_stable.low)
