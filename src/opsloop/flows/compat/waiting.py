"""Asynchronous work for synchronous callers: users' Python asks a model and waits for the answer in its own thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
_END = object()
_lock = threading.Lock()
_shared: _Loop | None = None


class _Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="opsloop-waiting", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """In the caller's context. Raises: what the work raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        self.run(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """The outcome of some asynchronous work, which runs on another loop, in the caller's context.

    It can be called from anywhere. Code that runs on a loop itself makes that loop stand still meanwhile; the work then
    gets a loop of its own, for the shared one may be the one that stands.
    """
    if not _is_on_loop():
        return _shared_loop().run(work)
    loop = _Loop()
    try:
        return loop.run(work)
    finally:
        loop.close()


def iterate(items: AsyncIterator[T]) -> Iterator[T]:
    """The items of an asynchronous iterator, one by one. Closing the iterator closes that one."""

    async def following() -> Any:
        return await anext(items, _END)

    own = _Loop() if _is_on_loop() else None
    loop = own or _shared_loop()
    try:
        while (item := loop.run(following())) is not _END:
            yield item
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            loop.run(close())
        if own is not None:
            own.close()


def _is_on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _shared_loop() -> _Loop:
    global _shared
    with _lock:
        if _shared is None:
            _shared = _Loop()
        return _shared
