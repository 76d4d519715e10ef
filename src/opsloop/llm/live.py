"""Whether somebody waits for what a model says: calls of live traffic have a retry budget, and may be hedged.

A batch has neither: it would rather wait than lose a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from opsloop.llm.hedging import Hedger

Extra = Literal["retry", "retry_withheld", "hedge", "hedge_won", "hedge_withheld"]


@dataclass(frozen=True, slots=True)
class Live:
    """Args: told: hears of calls beside the first of each. hedger: None where no second call is made early."""

    told: Callable[[Extra], None]
    hedger: Hedger | None = None


current_live: ContextVar[Live | None] = ContextVar("current_live", default=None)


@contextmanager
def living(live: Live) -> Iterator[None]:
    token = current_live.set(live)
    try:
        yield
    finally:
        current_live.reset(token)
