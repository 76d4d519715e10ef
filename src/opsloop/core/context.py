"""The workspace a piece of work runs in, for code that cannot be handed it: a user's Python inside a flow."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from opsloop.core.errors import Conflict

if TYPE_CHECKING:
    from opsloop.core.workspace import Workspace

current_workspace: ContextVar[Workspace] = ContextVar("current_workspace")


class NoWorkspace(Conflict):
    template = (
        "{function}() was called outside a run, so there is no workspace to look into; call it from a flow that "
        "Opsloop runs, or use opsloop.Client"
    )


def workspace_of_run(function: str) -> Workspace:
    """The workspace of the run that this code is part of. Raises: NoWorkspace naming the function that asked."""
    workspace = current_workspace.get(None)
    if workspace is None:
        raise NoWorkspace(function=function)
    return workspace
