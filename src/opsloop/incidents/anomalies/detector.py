"""Find where a stream leaves its range: the mean of the last points against quantiles of a long window.

    score = (m - median) / (q - median)

where m is the mean of the last 5 points, and median and q are of the means in the window: q is its 99.5 % quantile for
a rise, its 0.5 % quantile for a fall. The quantiles are those of this metric, whatever its distribution, and
a mean of 5 is no single odd point. After an alarm the detector keeps silent for a while (refractory time), in which it
learns what came: a new level that stays is one alarm.

False alarms: while the means are exchangeable (a stationary stream), a new one lies beyond either quantile with
probability at most 2 x 0.5 %, which holds for every distribution, so a threshold of 1 gives at most one alarm in 100
points before the refractory time is counted. Of a normal distribution, twice the quantile lies at 5.2 standard
deviations: about one point in five million, were the quantile known. What drifts or has a long memory gives more.

Source of the bound: V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World, 2005, chapter 2. Memory:
4,000 numbers for a stream.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WINDOW = 4_000
SHORT = 5
TAIL = 0.005
LEAST_POINTS = 100
"""Points before which nothing is said."""
REFRACTORY = 100
THRESHOLD = 1.05
"""With which NAB is scored; see `benchmarks/anomaly.py`."""
STRICT = 2.0
"""With which the platform watches: fewer alarms, larger ones."""
# A side of the range counts as at least this share of the other one: a metric that rests at its minimum may leave it.
LEAST_SIDE = 0.25


@dataclass(frozen=True, slots=True)
class Reading:
    """Args: score: 1 at the edge of the range; usual: the median; is_alarm: past the threshold, and not too soon."""

    score: float
    usual: float
    is_alarm: bool


class Detector:
    """The state of one stream; `state` is plain data that `restore` takes back."""

    def __init__(self, *, threshold: float = THRESHOLD, refractory: int = REFRACTORY, window: int = WINDOW) -> None:
        """Args: refractory: points after an alarm in which there is no other; window: points that are remembered."""
        if not threshold > 0 or refractory < 0:
            raise ValueError(
                f"threshold above 0 and refractory of at least 0 are needed, not {threshold}, {refractory}"
            )
        self._threshold = threshold
        self._refractory = refractory
        self._length = window
        self._last: deque[float] = deque(maxlen=SHORT)
        self._window: deque[float] = deque()
        self._ordered: list[float] = []
        self._silent = 0

    def read(self, value: float) -> Reading:
        """Take the next point. Raises: ValueError for one that is not finite."""
        if not math.isfinite(value):
            raise ValueError(f"a point must be finite, not {value}")
        self._last.append(value)
        mean = sum(self._last) / len(self._last)
        score, usual = self._score(mean)
        is_alarm = score > self._threshold and self._silent == 0
        self._silent = self._refractory if is_alarm else max(0, self._silent - 1)
        self._keep(mean)
        return Reading(score, usual, is_alarm)

    def _score(self, mean: float) -> tuple[float, float]:
        ordered = self._ordered
        count = len(ordered)
        if count < LEAST_POINTS:
            return 0.0, ordered[count // 2] if count else mean
        usual = ordered[count // 2]
        high, low = ordered[min(count - 1, int((1 - TAIL) * count))], ordered[int(TAIL * count)]
        whole = max(high - low, 1e-9 * abs(usual), 1e-12)
        side = high - usual if mean > usual else usual - low
        return abs(mean - usual) / max(side, LEAST_SIDE * whole), usual

    def _keep(self, mean: float) -> None:
        self._window.append(mean)
        insort(self._ordered, mean)
        if len(self._window) > self._length:
            oldest = self._window.popleft()
            del self._ordered[bisect_left(self._ordered, oldest)]

    def state(self) -> dict[str, Any]:
        """JSON values."""
        return {"last": list(self._last), "window": list(self._window), "silent": self._silent}

    @classmethod
    def restore(
        cls,
        state: Mapping[str, Any],
        *,
        threshold: float,
        refractory: int = REFRACTORY,
        window: int = WINDOW,
    ) -> Detector:
        """Raises: ValueError for what `state` never gave."""
        made = cls(threshold=threshold, refractory=refractory, window=window)
        try:
            last, means = [[float(each) for each in state[name]] for name in ("last", "window")]
            made._silent = int(state["silent"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"no state of a detector: {error}") from error
        if not all(map(math.isfinite, (*last, *means))):
            raise ValueError("no state of a detector: a number is not finite")
        made._last.extend(last)
        made._window.extend(means[-window:])
        made._ordered = sorted(made._window)
        return made
