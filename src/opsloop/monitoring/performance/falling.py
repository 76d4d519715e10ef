"""Whether a model does worse than it did in validation, looked at after every label.

Each label gives a gain c in [0, 1]; while the model is as good as it was validated, the mean of c given all before is
at least m. For every stake 0 < b < 1/(1-m) the factor 1 + b (m - c) then has a mean of at most 1, so that

    R_t = (R_{t-1} + 1) (1 + b (m - c_t)),          averaged over a grid of stakes,

grows by at most 1 a label on average (Shiryaev-Roberts), and the mean number of labels until R passes A is at least A:
a false alarm comes every A labels at most, however often one looks.

- classification: c is 1 for a right answer; m is the validated accuracy less the margin.
- regression: c is 1 - min(1, e² / 10 M) for an error e, with M the validated mean squared error times one plus the
  margin; m is 0.9, since the mean of e² / 10 M is at most 0.1.

Sources: I. Waudby-Smith, A. Ramdas, Estimating means of bounded random variables by betting, JRSS B 86 (2024), 1-27;
J. Shin, A. Ramdas, A. Rinaldo, E-detectors, New England J. Stat. Data Sci. 2 (2024), 229-260.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Without numpy: every platform counts labels, also one that serves no model and has no extra installed.
_STAKES = 16
_SHARES = tuple(0.01 * 90 ** (place / (_STAKES - 1)) for place in range(_STAKES))
"""Stakes, as shares of the largest."""

_CUT = 10.0
"""Errors beyond so many validated mean squared errors count as that many."""


@dataclass(frozen=True, slots=True)
class Validated:
    """What a model promised.

    Args:
        metric: `accuracy` or `mse`.
        figure: of it in validation.
        margin: how much worse does not matter: a part of accuracy, or a share of the mean squared error.
        false_alarms_every: labels until a false alarm, at least, on average.
    """

    metric: str
    figure: float
    margin: float
    false_alarms_every: float

    @property
    def bound(self) -> float:
        """The least mean gain of a model as good as it was validated."""
        if self.metric == "mse":
            return 1 - 1 / _CUT
        return min(max(self.figure - self.margin, 0.01), 0.999)

    def gain(self, label: Any, predicted: Any) -> float:
        if self.metric == "accuracy":
            return float(label == predicted)
        worst = _CUT * max(self.figure, 1e-300) * (1 + self.margin)
        return 1 - min(1.0, (float(label) - float(predicted)) ** 2 / worst)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the test is after some labels; JSON values, so that it can be stored.

    Args:
        logs: of R for each stake.
        walks, starts: of each stake, the most that its last factors come to (CUSUM, in logs), and since which label.
        labels: seen so far.
        alarmed_at: the label that raised the alarm.
    """

    logs: tuple[float, ...] = (-math.inf,) * len(_SHARES)
    walks: tuple[float, ...] = (0.0,) * len(_SHARES)
    starts: tuple[int, ...] = (0,) * len(_SHARES)
    labels: int = 0
    alarmed_at: int | None = None

    @property
    def log_evidence(self) -> float:
        return _log_mean(self.logs)

    @property
    def since_label(self) -> int:
        """The number of the label from which on the model is worse, as the stake with the most evidence has it."""
        return self.starts[max(range(len(self.walks)), key=self.walks.__getitem__)]

    def stored(self) -> dict[str, Any]:
        return {
            "logs": [None if value == -math.inf else value for value in self.logs],
            "walks": list(self.walks),
            "starts": list(self.starts),
            "labels": self.labels,
            "alarmed_at": self.alarmed_at,
        }

    @classmethod
    def restored(cls, values: Mapping[str, Any]) -> Standing:
        logs = tuple(-math.inf if value is None else float(value) for value in values["logs"])
        if len(logs) != len(_SHARES):
            return cls()
        return cls(logs, tuple(values["walks"]), tuple(values["starts"]), values["labels"], values["alarmed_at"])


def score(standing: Standing, validated: Validated) -> float:
    """The evidence in the scale of alarms: 1 is one."""
    return max(0.0, standing.log_evidence / math.log(validated.false_alarms_every))


def after(standing: Standing, validated: Validated, pairs: Iterable[tuple[Any, Any]]) -> Standing:
    """The standing after some more labels and what was predicted for them, in their order."""
    bound = validated.bound
    stakes = [share / (1 - bound) for share in _SHARES]
    threshold = math.log(validated.false_alarms_every)
    logs, walks, starts = list(standing.logs), list(standing.walks), list(standing.starts)
    labels, alarmed_at = standing.labels, standing.alarmed_at
    for label, predicted in pairs:
        missed = bound - validated.gain(label, predicted)
        for place, stake in enumerate(stakes):
            step = math.log1p(stake * missed)
            if walks[place] <= 0:
                starts[place] = labels
            walks[place] = max(walks[place], 0.0) + step
            logs[place] = _log_and_one(logs[place]) + step
        labels += 1
        if alarmed_at is None and _log_mean(logs) >= threshold:
            alarmed_at = labels
    return Standing(tuple(logs), tuple(walks), tuple(starts), labels, alarmed_at)


def _log_and_one(log: float) -> float:
    """log(exp(log) + 1)."""
    return max(log, 0.0) + math.log1p(math.exp(-abs(log)))


def _log_mean(logs: Sequence[float]) -> float:
    largest = max(logs)
    if largest == -math.inf:
        return largest
    return largest + math.log(math.fsum(math.exp(log - largest) for log in logs) / len(logs))


def expected_delay(validated: Validated, gain: float) -> float | None:
    """Labels until an alarm when the mean gain falls to this; None when it is not below what is tested.

    The best stake's growth per label, for gains of 0 and 1.
    """
    bound = validated.bound
    if not gain < bound:
        return None
    stakes = [share / (1 - bound) for share in _SHARES]
    best = max(gain * math.log1p(stake * (bound - 1)) + (1 - gain) * math.log1p(stake * bound) for stake in stakes)
    return math.log(validated.false_alarms_every) / best if best > 0 else None
