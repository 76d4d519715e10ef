"""Is the caller still there? When it goes, the work for it is cancelled."""

from __future__ import annotations

import asyncio
from types import TracebackType

from starlette.types import Receive

# Most answers are given before this; only the others pay for a task that watches.
LOOK_AFTER_S = 0.05


class Presence:
    """Cancels the current task when the caller closes the connection inside the block; `is_gone` says that it was so.

    The body must have been read: what arrives after it is that the caller goes.
    """

    __slots__ = ("_receive", "_task", "_timer", "_watch", "is_gone")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._watch: asyncio.Task[None] | None = None
        self.is_gone = False

    def __enter__(self) -> Presence:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._timer = asyncio.get_running_loop().call_later(LOOK_AFTER_S, self._begin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()

    def forgive(self) -> None:
        """Take the cancellation back: it was dealt with."""
        self._task.uncancel()

    def _begin(self) -> None:
        self._watch = asyncio.get_running_loop().create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.is_gone = True
        self._task.cancel()
