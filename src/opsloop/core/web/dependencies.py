"""FastAPI dependencies: `uow: Writing` and `uow: Reading` give a unit of work for the caller of this request.

The transaction commits after the route's function and before the answer is sent (`scope="function"`), so that what was
acknowledged is stored.

Few requests write at a time, and the others wait without a thread: a transaction begins in one thread of the pool, and
the route's function needs another. Were all threads taken by requests that wait for the one that has begun, it could
never end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from fastapi import Depends, Request

from opsloop.core.caller import Caller
from opsloop.core.workspace import UnitOfWork, Workspace

WRITERS = 8
"""Requests of a process that write, or wait for their turn to, at a time; the pool has 40 threads."""

T = TypeVar("T")
_writers: RunVar[CapacityLimiter] = RunVar("opsloop_writers")


def workspace_of(request: Request) -> Workspace:
    workspace = request.app.state.workspace
    assert isinstance(workspace, Workspace)
    return workspace


def caller_of(request: Request) -> Caller:
    """The caller that the authentication in front of the app put into the request's scope."""
    caller = request.scope["opsloop.caller"]
    assert isinstance(caller, Caller)
    return caller


def _writing(request: Request) -> Iterator[UnitOfWork]:
    with workspace_of(request).writing(caller_of(request)) as uow:
        yield uow


def _reading(request: Request) -> Iterator[UnitOfWork]:
    with workspace_of(request).reading(caller_of(request)) as uow:
        yield uow


Writing = Annotated[UnitOfWork, Depends(_writing, scope="function", max_concurrency=WRITERS)]
Reading = Annotated[UnitOfWork, Depends(_reading, scope="function")]
Asking = Annotated[Caller, Depends(caller_of)]
Opened = Annotated[Workspace, Depends(workspace_of)]


async def in_writers_thread(function: Callable[..., T], *args: object, **named: object) -> T:
    """Call in a thread what opens writing transactions by itself: of threads kept for that, for the reason above."""
    if (writers := _writers.get(None)) is None:
        writers = CapacityLimiter(WRITERS)
        _writers.set(writers)
    return await to_thread.run_sync(partial(function, *args, **named), limiter=writers)
