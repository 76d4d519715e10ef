"""Hedging: when a call takes longer than nearly all do, the same is asked a second time, and the first answer counts.

It shortens the longest waits for a few more calls. The second goes to another server where there is one. The call that
loses is cancelled; what it may have cost stays spent, for nobody knows what its server counts.
Source: J. Dean, L. A. Barroso, The Tail at Scale, Communications of the ACM 56 (2013) 2, 74-80, "Hedged requests".
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from opsloop.core.clock import Clock

T = TypeVar("T")
REMEMBERED = 256
FEWEST = 20
"""Calls that must have been timed before a 95th percentile means anything."""
SHARE_OVER = 1_000
"""Calls over which the share of second ones is counted."""


@dataclass(frozen=True, slots=True)
class HedgePolicy:
    """Args: after_s: when the second call is made; None: where 95 of 100 calls have ended. max_share: from 0 to 1."""

    after_s: float | None
    max_share: float


class Hedger:
    """Of one release in one process; threads may share it."""

    def __init__(self, policy: HedgePolicy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._lock = threading.Lock()
        self._took_s: deque[float] = deque(maxlen=REMEMBERED)
        self._hedged: deque[bool] = deque(maxlen=SHARE_OVER)

    def after_s(self) -> float | None:
        """When a second call is made; None while that is not known."""
        if self._policy.after_s is not None:
            return self._policy.after_s
        with self._lock:
            if len(self._took_s) < FEWEST:
                return None
            ordered = sorted(self._took_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]

    async def first_of(
        self,
        ask: Callable[[], Awaitable[T]],
        ask_again: Callable[[], Awaitable[T]],
        told: Callable[[Literal["hedge", "hedge_won", "hedge_withheld"]], None],
    ) -> T:
        """The first answer. Raises: what the first call raises, when none answers."""
        after_s = self.after_s()
        started_s = self._clock.monotonic_s()
        calls = [asyncio.ensure_future(ask())]
        try:
            done, _ = await asyncio.wait(calls, timeout=after_s)
            if not done:
                if self._takes_hedge():
                    told("hedge")
                    calls.append(asyncio.ensure_future(ask_again()))
                else:
                    told("hedge_withheld")
            else:
                self._note(is_hedged=False)
            winner = await _first_good(calls)
            if winner is not calls[0]:
                told("hedge_won")
            answer = winner.result()
            with self._lock:  # of a first call that lost, its time is at least this long
                self._took_s.append(self._clock.monotonic_s() - started_s)
            return answer
        finally:
            for each in calls:
                each.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    def _takes_hedge(self) -> bool:
        with self._lock:
            # Of few calls one may be hedged, else none ever would be.
            most = max(1.0, self._policy.max_share * (len(self._hedged) + 1))
            may = sum(self._hedged) + 1 <= most
            self._hedged.append(may)
            return may

    def _note(self, *, is_hedged: bool) -> None:
        with self._lock:
            self._hedged.append(is_hedged)


async def _first_good(calls: Sequence[asyncio.Future[T]]) -> asyncio.Future[T]:
    """The first that answers; the first of the list where all fail."""
    waiting = set(calls)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for each in calls:
            if each in done and not each.cancelled() and each.exception() is None:
                return each
    return calls[0]
