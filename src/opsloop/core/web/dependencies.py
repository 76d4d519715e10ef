"""FastAPI dependencies: `uow: Writing` and `uow: Reading` give a unit of work for the caller of this request.

The transaction commits after the route's function and before the answer is sent (`scope="function"`), so that what was
acknowledged is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request

from opsloop.core.caller import Caller
from opsloop.core.workspace import UnitOfWork, Workspace


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


Writing = Annotated[UnitOfWork, Depends(_writing, scope="function")]
Reading = Annotated[UnitOfWork, Depends(_reading, scope="function")]
Asking = Annotated[Caller, Depends(caller_of)]
Opened = Annotated[Workspace, Depends(workspace_of)]
