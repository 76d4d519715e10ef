"""The workspace a piece of work runs in, for code that cannot be handed it: a user's Python inside a flow."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsloop.core.workspace import Workspace

current_workspace: ContextVar[Workspace] = ContextVar("current_workspace")
