"""What calls to models used while a piece of work was done, by model: a tab that is open in the work's context.

A purse (`spending`) says what may be spent; a tab only adds up. Both hear the same figures of every call, so what keys
and endpoints are charged and what their use adds up to is one sum.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec

NANO = 1_000_000_000
"""Money is counted in whole billionths of a US dollar: sums of them are exact."""


class ModelCalls(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Calls to one model.

    Args:
        tokens_in, tokens_out: counted by its server, or estimated where nobody counted.
        nano_usd: what they cost, in billionths of a US dollar.
        unpriced: how many of the calls have no price: nothing is counted for them.
    """

    model: str
    calls: int = 1
    tokens_in: int = 0
    tokens_out: int = 0
    nano_usd: int = 0
    unpriced: int = 0

    def __add__(self, other: ModelCalls) -> ModelCalls:
        return ModelCalls(
            self.model,
            self.calls + other.calls,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.nano_usd + other.nano_usd,
            self.unpriced + other.unpriced,
        )


class Tab:
    """Threads may share one."""

    __slots__ = ("_by_model", "_lock")

    def __init__(self) -> None:
        self._by_model: dict[str, ModelCalls] = {}
        self._lock = threading.Lock()

    def note(self, model: str, tokens_in: int, tokens_out: int, usd: float | None) -> None:
        """A call has ended. Args: usd: None when the model has no price."""
        made = ModelCalls(model, 1, tokens_in, tokens_out, round((usd or 0.0) * NANO), int(usd is None))
        with self._lock:
            before = self._by_model.get(model)
            self._by_model[model] = made if before is None else before + made

    def take(self) -> tuple[ModelCalls, ...]:
        """What was noted since the last time, by the model's name."""
        if not self._by_model:
            return ()
        with self._lock:
            taken, self._by_model = self._by_model, {}
        return tuple(taken[model] for model in sorted(taken))


current_tab: ContextVar[Tab | None] = ContextVar("current_tab", default=None)


@contextmanager
def opened(tab: Tab) -> Iterator[Tab]:
    """Note on this tab what calls of the work inside use."""
    token = current_tab.set(tab)
    try:
        yield tab
    finally:
        current_tab.reset(token)
