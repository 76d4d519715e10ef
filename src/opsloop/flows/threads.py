"""Threads for users' synchronous code, some of which never returns.

The standard pool joins its threads when the process ends and has no way to give one up. These threads are daemons;
a call that is given up costs its thread, which ends by itself if the call ever returns, and another takes its place.
Each loaded flow has threads of its own, so that a candidate that hangs takes none from the stable release.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from opsloop.core.errors import Unavailable

IDLE_S = 30.0


class ThreadsLost(Unavailable):
    template = (
        "{lost} calls to synchronous nodes never returned and hold their threads; "
        "give those nodes timeouts of their own and restart the process"
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call gave: a value, or what it raised, be that SystemExit or StopIteration."""

    value: Any = None
    error: BaseException | None = None


class _Job:
    __slots__ = ("context", "function", "future", "given_up", "kwargs", "loop", "started")

    def __init__(
        self, function: Callable[..., Any], kwargs: dict[str, Any], context: Context, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.function = function
        self.kwargs = kwargs
        self.context = context
        self.loop = loop
        self.future: asyncio.Future[Outcome] = loop.create_future()
        self.started = False
        self.given_up = False

    def run(self) -> None:
        try:
            outcome = Outcome(self.context.run(self.function, **self.kwargs))
        except BaseException as error:  # noqa: BLE001  the rim of users' code: whatever it raises is its outcome
            outcome = Outcome(error=error)
        try:
            self.loop.call_soon_threadsafe(self._settle, outcome)
        except RuntimeError:
            return  # the loop has ended: nobody waits any more

    def _settle(self, outcome: Outcome) -> None:
        if not self.future.done():
            self.future.set_result(outcome)


class NodeThreads:
    """At most `limit` threads at work, and at most `lost_limit` that were given up."""

    def __init__(self, limit: int = 32, *, lost_limit: int = 64) -> None:
        self.limit = limit
        self.lost_limit = lost_limit
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        self._queued = 0
        self._lost = 0

    async def run(self, function: Callable[..., Any], kwargs: dict[str, Any]) -> Outcome:
        """Call `function(**kwargs)` in a thread, in a copy of this task's context.

        Raises: ThreadsLost when too many earlier calls never returned.
        """
        job = _Job(function, kwargs, copy_context(), asyncio.get_running_loop())
        self._put(job)
        try:
            return await job.future
        except asyncio.CancelledError:
            self._give_up(job)
            raise

    def _put(self, job: _Job) -> None:
        with self._lock:
            if self._lost >= self.lost_limit:
                raise ThreadsLost(lost=self._lost)
            self._queued += 1
            self._jobs.put(job)
            self._start_if_short()

    def _give_up(self, job: _Job) -> None:
        with self._lock:
            job.given_up = True
            if job.started:
                self._lost += 1
                self._threads -= 1
                self._start_if_short()

    def _start_if_short(self) -> None:
        if self._queued > self._idle and self._threads < self.limit:
            self._threads += 1
            threading.Thread(target=self._work, name="opsloop-node", daemon=True).start()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            goes_on = self._do(job)
            del job  # while this thread is idle it must not keep what a run read and said
            if not goes_on:
                return

    def _do(self, job: _Job) -> bool:
        """Whether this thread goes on: not when it was counted out while it was away."""
        with self._lock:
            if job.given_up:
                return True
            job.started = True
        job.run()
        with self._lock:
            job.started = False
            if not job.given_up:
                return True
            self._lost -= 1
            return False

    def _next(self) -> _Job | None:
        """The next job; None when this thread may end."""
        with self._lock:
            self._idle += 1
        while True:
            try:
                job = self._jobs.get(timeout=IDLE_S)
            except Empty:
                with self._lock:
                    if self._queued == 0:
                        self._idle -= 1
                        self._threads -= 1
                        return None
            else:
                with self._lock:
                    self._idle -= 1
                    self._queued -= 1
                return job
