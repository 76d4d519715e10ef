"""Who has a place among the requests that are answered: as many as there are, shared out evenly when they get few.

One caller alone may take all of them. Once most are taken, a caller that has its even share already gets no more, so
that those others find a place who asked lately too (max-min fairness: D. Bertsekas, R. Gallager, Data Networks, 6.5.2).
"""

from __future__ import annotations

from opsloop.core.clock import Clock
from opsloop.gateway.errors import Overloaded, OverShare

FEW = 0.75
"""From this share of taken places on they are few."""
LATELY_S = 10.0


class Places:
    """Of one event loop. Args: most: how many there are."""

    def __init__(self, most: int, clock: Clock) -> None:
        self._most = most
        self._clock = clock
        self._taken = 0
        self._taken_by: dict[str, int] = {}
        self._seen_s: dict[str, float] = {}

    def check(self, caller: str) -> None:
        """Whether another request of this caller finds a place. Raises: Overloaded, OverShare."""
        now_s = self._clock.monotonic_s()
        self._seen_s.pop(caller, None)
        self._seen_s[caller] = now_s  # those seen longest ago stand first
        while now_s - next(iter(self._seen_s.values())) > LATELY_S:
            del self._seen_s[next(iter(self._seen_s))]
        if self._taken >= self._most:
            raise Overloaded(limit=self._most)
        share = max(1, self._most // len(self._seen_s))
        if self._taken >= FEW * self._most and self._taken_by.get(caller, 0) >= share:
            raise OverShare(share=share, limit=self._most)

    def take(self, caller: str) -> None:
        self._taken += 1
        self._taken_by[caller] = self._taken_by.get(caller, 0) + 1

    def leave(self, caller: str) -> None:
        self._taken -= 1
        left = self._taken_by[caller] - 1
        if left:
            self._taken_by[caller] = left
        else:
            del self._taken_by[caller]
