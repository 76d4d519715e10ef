"""A betting e-process on scores: is the candidate's mean below stable's by more than a margin?

For bounded scores such as judged quality or feedback, 0 (worst) to 1 (best). Scores are paired by time: a pair closes
as soon as both arms have a score, and takes the mean of what each arm brought since the last pair, so that a day on
which everybody scores lower cancels. With d = stable mean - candidate mean - margin, in [-1 - margin, 1 - margin],
equality or better means E[d | past] <= 0, and the capital of a gambler who stakes a fixed fraction of it on d > 0
never grows on average:

    K(bet) = product of (1 + bet d),      0 < bet < 1 / (1 + margin)

The average over a fixed set of bets is a test martingale; it reaches 1/alpha with chance alpha at most (Ville).

One subject gives one score per process, for the reason given in `adverse`. Whether a pair closes depends on which arm
scored, never on the score, so the choice of pairs brings no bias of its own.

Sources: I. Waudby-Smith, A. Ramdas, Estimating means of bounded random variables by betting, JRSS B 86 (2024), 1-27;
S. Shekhar, A. Ramdas, Nonparametric two-sample testing by betting, IEEE Trans. Inf. Theory 70 (2024), 1178-1203.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from opsloop.core.errors import InvalidInput
from opsloop.releases.analysis._state import number

BETS = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Stakes that are mixed with equal weight, as fractions of the largest that cannot lose everything."""

PAIR_WINDOW_S = 300.0
"""Scores further apart than this do not make a pair: what users ask may have changed in between."""

_ARMS = ("candidate", "stable")


class ScoreProcess:
    """The evidence that the candidate scores lower than stable by more than `margin`.

    Args:
        margin: how much lower the candidate may score on average, 0 to below 1.
        window_s: the longest time that a pair may span, in seconds.
    """

    __slots__ = ("_counts", "_log_capitals", "_open_counts", "_open_since_s", "_open_sums", "_sums", "margin", "pairs",
                 "window_s")  # fmt: skip

    def __init__(self, *, margin: float = 0.0, window_s: float = PAIR_WINDOW_S) -> None:
        if not 0.0 <= margin < 1.0:
            raise InvalidInput(field="margin", value=margin, wanted="a number from 0 to below 1")
        if not window_s > 0.0:
            raise InvalidInput(field="window_s", value=window_s, wanted="a number of seconds above 0")
        self.margin = margin
        self.window_s = window_s
        self.pairs = 0
        self._log_capitals = [0.0] * len(BETS)
        self._counts = [0, 0]
        self._sums = [0.0, 0.0]
        self._open_counts = [0, 0]
        self._open_sums = [0.0, 0.0]
        self._open_since_s = 0.0

    def observe(self, score: float, *, candidate: bool, at_s: float) -> None:
        """Add the score of a subject that had none in this process yet.

        Args:
            score: 0 (worst) to 1 (best).
            at_s: when it was given, in seconds from any fixed start, in order of arrival.
        """
        if not 0.0 <= score <= 1.0:
            raise InvalidInput(field="score", value=score, wanted="a number from 0 to 1")
        arm = 0 if candidate else 1
        self._counts[arm] += 1
        self._sums[arm] += score
        if not any(self._open_counts) or at_s - self._open_since_s > self.window_s:
            self._open(at_s)
        self._open_counts[arm] += 1
        self._open_sums[arm] += score
        if all(self._open_counts):
            self._close()

    def _open(self, at_s: float) -> None:
        self._open_counts = [0, 0]
        self._open_sums = [0.0, 0.0]
        self._open_since_s = at_s

    def _close(self) -> None:
        candidate, stable = (total / count for total, count in zip(self._open_sums, self._open_counts, strict=True))
        gain = (stable - candidate - self.margin) / (1.0 + self.margin)
        for index, bet in enumerate(BETS):
            self._log_capitals[index] += math.log1p(bet * gain)
        self.pairs += 1
        self._open(0.0)

    @property
    def log_e(self) -> float:
        """The natural logarithm of E; 0 before the first pair."""
        top = max(self._log_capitals)
        return top + math.log(math.fsum(math.exp(log - top) for log in self._log_capitals) / len(BETS))

    @property
    def candidate_scores(self) -> int:
        return self._counts[0]

    @property
    def stable_scores(self) -> int:
        return self._counts[1]

    @property
    def candidate_mean(self) -> float | None:
        return self._sums[0] / self._counts[0] if self._counts[0] else None

    @property
    def stable_mean(self) -> float | None:
        return self._sums[1] / self._counts[1] if self._counts[1] else None

    def to_state(self) -> dict[str, float]:
        """The process as plain numbers to store."""
        capitals = {f"log_capital@{bet:g}": log for bet, log in zip(BETS, self._log_capitals, strict=True)}
        state = {"margin": self.margin, "window_s": self.window_s, "pairs": self.pairs, **capitals}
        for index, arm in enumerate(_ARMS):
            state |= {f"{arm}.count": self._counts[index], f"{arm}.sum": self._sums[index]}
            state |= {f"{arm}.open_count": self._open_counts[index], f"{arm}.open_sum": self._open_sums[index]}
        return state | {"open_since_s": self._open_since_s}

    @classmethod
    def from_state(cls, state: Mapping[str, float]) -> ScoreProcess:
        """The process as it was stored.

        Raises: InvalidInput when a number is missing or not one.
        """
        process = cls(margin=number(state, "margin"), window_s=number(state, "window_s"))
        process.pairs = int(number(state, "pairs"))
        process._log_capitals = [number(state, f"log_capital@{bet:g}") for bet in BETS]
        process._counts = [int(number(state, f"{arm}.count")) for arm in _ARMS]
        process._sums = [number(state, f"{arm}.sum") for arm in _ARMS]
        process._open_counts = [int(number(state, f"{arm}.open_count")) for arm in _ARMS]
        process._open_sums = [number(state, f"{arm}.open_sum") for arm in _ARMS]
        process._open_since_s = number(state, "open_since_s")
        return process
