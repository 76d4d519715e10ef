"""The door for requests that are limited: plain when nobody limits them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from opsloop.core.caller import Caller
from opsloop.limits.account import Account
from opsloop.limits.pool import Pool
from opsloop.llm.spending import current_purse

_KEY = "key:"


def key_of(caller: object) -> str | None:
    """The name of the API key that asks; None for whoever has none."""
    name = caller.name if isinstance(caller, Caller) else ""
    return name.removeprefix(_KEY) if name.startswith(_KEY) else None


@asynccontextmanager
async def admitted(pool: Pool, key: str | None, endpoint: str | None, *, tokens: int) -> AsyncIterator[Account | None]:
    """While a request is answered: its calls to models take from what its key and endpoint may spend.

    Args:
        tokens: an estimate of what is asked.
    Raises: RateReached, QuotaSpent; Unavailable when the database is away and nothing is held in memory.
    """
    limits = pool.of(key, endpoint)
    if not limits:
        yield None
        return
    account = Account(pool, limits)
    await account.enter(tokens)
    token = current_purse.set(account)
    try:
        yield account
    finally:
        current_purse.reset(token)
        account.leave()
