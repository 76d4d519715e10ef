"""One run of one node, as its runner sees it."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from opsloop.flows.results import NO_TOKENS, TokenUse

Emit = Callable[[str], Awaitable[None]]


class Call:
    """Where a node's text goes while it is made, what a model was sent, and what it used."""

    __slots__ = ("conversation", "emit", "engine", "model", "tokens")

    def __init__(self, emit: Emit | None = None) -> None:
        self.emit = emit
        self.conversation: Sequence[Mapping[str, Any]] = ()
        self.tokens: TokenUse = NO_TOKENS
        self.engine: str | None = None
        self.model: str | None = None

    def add(self, tokens: TokenUse) -> None:
        """Count what a model call of the node's own code used; from any thread."""
        with _adding:
            self.tokens = self.tokens + tokens


_adding = threading.Lock()
# The node that is running, for code of it that asks a model by itself.
current_call: ContextVar[Call] = ContextVar("current_call")
