"""Asynchronous work for synchronous callers: users' Python asks a model and waits for the answer in its own thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
_END = object()
_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """The outcome of some asynchronous work, which runs on a loop of its own, in the caller's context.

    So it can be called from anywhere, also from code that runs on a loop itself; that loop then stands still.
    """
    return asyncio.run_coroutine_threadsafe(work, _background()).result()


def iterate(items: AsyncIterator[T]) -> Iterator[T]:
    """The items of an asynchronous iterator, one by one. Closing the iterator closes that one."""

    async def following() -> Any:
        return await anext(items, _END)

    try:
        while (item := wait_for(following())) is not _END:
            yield item
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            wait_for(close())


def _background() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock:
        if _loop is None or _loop.is_closed():
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="opsloop-waiting", daemon=True).start()
        return _loop
