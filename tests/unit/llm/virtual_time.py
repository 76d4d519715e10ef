"""Time in which a minute of waiting passes at once: waits end in the order in which they would."""

import asyncio
import heapq
from collections.abc import Coroutine
from typing import Any, TypeVar

from opsloop.core.clock import FakeClock

T = TypeVar("T")


class VirtualTime:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    async def pause(self, seconds: float) -> None:
        self._count += 1
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.clock.monotonic_s() + seconds, self._count, woken))
        await woken

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(self._run(work))

    async def _run(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(work)
        while not task.done():
            for _ in range(20):  # until all that can run now has run
                await asyncio.sleep(0)
            if self._sleepers and not task.done():
                at_s, _, woken = heapq.heappop(self._sleepers)
                self.clock.advance(max(0.0, at_s - self.clock.monotonic_s()))
                if not woken.done():
                    woken.set_result(None)
        return await task
