"""How many calls one endpoint of a server gets at a time: as many as it takes.

Calls start freely. When the server answers 429 the number in flight is halved, and it grows by one for each round of
calls that succeed: additive increase and multiplicative decrease, which finds a fair share without being told it.
Sources: D.-M. Chiu and R. Jain, Analysis of the increase and decrease algorithms for congestion avoidance in computer
networks, Computer Networks and ISDN Systems 17 (1989), 1-14; that calls sent before a decrease cannot cause another
one is V. Jacobson's, Congestion avoidance and control, SIGCOMM 1988.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Hashable
from weakref import WeakKeyDictionary

from opsloop.core.clock import Clock

MOST_IN_FLIGHT = 1024
_KEPT = 256
_BURST_S = 1.0


class Pace:
    """Of one endpoint, on one event loop.

    Args:
        pause: how to wait, for tests.
        draw: a number between two, for tests; calls that waited for the server do not all start at one instant.
        calls_per_minute: most calls to start in a minute; None for no such limit.
        most_in_flight: calls at a time that are never exceeded.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        draw: Callable[[float, float], float] = random.uniform,
        calls_per_minute: float | None = None,
        most_in_flight: int = MOST_IN_FLIGHT,
    ) -> None:
        self._most = most_in_flight
        self.limit: float = most_in_flight
        self.in_flight = 0
        self._clock = clock
        self._pause = pause
        self._draw = draw
        self._interval_s = 60.0 / calls_per_minute if calls_per_minute else 0.0
        self._next_s = 0.0
        self._opens_s = 0.0
        self._decreases = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> Turn:
        """Wait until another call may be sent."""
        if self._waiting or self.in_flight >= int(self.limit):
            await self._wait_in_line()
        else:
            self.in_flight += 1
        try:
            await self._wait_for_time()
        except BaseException:
            self.leave()
            raise
        return Turn(self._decreases, self.in_flight)

    def leave(self) -> None:
        """A call ended, however it did."""
        self.in_flight -= 1
        self._let_in()

    def succeeded(self) -> None:
        """The server took a call."""
        if self.in_flight >= int(self.limit) - 1:  # a limit that nobody reaches tells nothing by holding
            self.limit = min(self._most, self.limit + 1 / self.limit)

    def refused(self, turn: Turn, wait_s: float | None) -> None:
        """The server took no more calls, and asks to wait where it says so."""
        if turn.decreases == self._decreases:
            self._decreases += 1
            self.limit = max(1.0, min(self.limit, self.in_flight) / 2)
        if wait_s is not None:
            self._opens_s = max(self._opens_s, self._clock.monotonic_s() + wait_s)

    async def _wait_in_line(self) -> None:
        """Returns with a place in flight."""
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave()
            raise

    def _let_in(self) -> None:
        while self._waiting and self.in_flight < int(self.limit):
            place = self._waiting.popleft()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)

    async def _wait_for_time(self) -> None:
        while (wait_s := self._opens_s - self._clock.monotonic_s()) > 0:
            await self._pause(wait_s + self._draw(0.0, min(1.0, wait_s / 10)))
        if self._interval_s:
            now_s = self._clock.monotonic_s()
            self._next_s = max(self._next_s, now_s - _BURST_S) + self._interval_s
            if self._next_s > now_s:
                await self._pause(self._next_s - now_s)


class Turn:
    """One call's leave to be sent: how many were in flight with it."""

    __slots__ = ("decreases", "in_flight")

    def __init__(self, decreases: int, in_flight: int) -> None:
        self.decreases = decreases
        self.in_flight = in_flight


_paces: WeakKeyDictionary[asyncio.AbstractEventLoop, OrderedDict[Hashable, Pace]] = WeakKeyDictionary()


def pace_of(endpoint: Hashable, make: Callable[[], Pace]) -> Pace:
    """The one pace of an endpoint on the running loop, whoever calls it."""
    known = _paces.setdefault(asyncio.get_running_loop(), OrderedDict())
    pace = known.get(endpoint)
    if pace is None:
        pace = known[endpoint] = make()
        if len(known) > _KEPT:
            idle = next((key for key, each in known.items() if not each.in_flight and each is not pace), None)
            if idle is not None:
                del known[idle]
    return pace
