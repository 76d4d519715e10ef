"""What an evaluation may use, and the account of it: a row starts only when what it may need is left.

What a row needs is taken to be the most that one needed so far, so the first goes alone. Rows in work hold what they
may need until they are done; more is used only by as much as they exceed that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

from opsloop.core.clock import Clock
from opsloop.evaluation.declared import declared
from opsloop.evaluation.models import Budget
from opsloop.flows.results import NO_TOKENS, TokenUse

_KEYS = ("tokens", "usd", "calls", "minutes")


def parse(values: object, path: str) -> Budget:
    """Raises: ExperimentInvalid."""
    found = declared(values, path, _KEYS)
    numbers = {key: found.number(key) for key in _KEYS}
    for key, number in numbers.items():
        if number is not None and (number <= 0 or (key in ("tokens", "calls") and number != int(number))):
            raise found.wrong(key, "a whole number above 0" if key in ("tokens", "calls") else "a number above 0")
    if all(number is None for number in numbers.values()):
        raise found.wrong("tokens", "a number for at least one of tokens, usd, calls and minutes")
    tokens, calls = (None if numbers[key] is None else int(numbers[key] or 0) for key in ("tokens", "calls"))
    return Budget(tokens, numbers["usd"], calls, numbers["minutes"])


class Account:
    """Keeps a budget while rows run. Of one event loop.

    Args:
        budget: None when there is no limit.
    """

    def __init__(self, budget: Budget | None, clock: Clock) -> None:
        self.budget = budget
        self.used = NO_TOKENS
        self.rows = 0
        self._clock = clock
        self._start_s = clock.monotonic_s()
        self._most: Mapping[str, float] = {}
        self._in_work = 0
        self._settled = asyncio.Condition()

    async def admit(self) -> str | None:
        """Wait until a row may start; why none may any more, as a sentence, or None when it may."""
        if self.budget is None:
            return None
        async with self._settled:
            while (why := self._refusal()) is not None and self._in_work:
                await self._settled.wait()
            self._in_work += why is None
            return why

    async def settle(self, used: TokenUse) -> None:
        """A row is done."""
        self.used = self.used + used
        self.rows += 1
        if self.budget is None:
            return
        async with self._settled:
            self._in_work -= 1
            spent = _spent(used)
            self._most = {key: max(value, self._most.get(key, 0.0)) for key, value in spent.items()}
            self._settled.notify_all()

    def share_is_used(self, share: float) -> bool:
        """Whether this much of the budget is used, from 0 to 1."""
        spent = self._spent_so_far()
        return any(spent[key] >= share * limit for key, limit in self._limits())

    def _refusal(self) -> str | None:
        if not self.rows:
            return "the first row goes alone" if self._in_work else None
        if self.budget is not None and self.budget.usd is not None and self.used.cost_usd is None:
            return "the price of a model is not known, so the budget in usd cannot be kept; name it in a file of prices"
        spent = self._spent_so_far()
        for key, limit in self._limits():
            if spent[key] + (self._in_work + 1) * self._most.get(key, 0.0) > limit or spent[key] >= limit:
                return f"the budget of {limit:,g} {key} was used up"
        return None

    def _limits(self) -> Iterator[tuple[str, float]]:
        for key in _KEYS if self.budget is not None else ():
            limit = getattr(self.budget, key)
            if limit is not None:
                yield key, limit

    def _spent_so_far(self) -> dict[str, float]:
        return {**_spent(self.used), "minutes": (self._clock.monotonic_s() - self._start_s) / 60}


def _spent(used: TokenUse) -> dict[str, float]:
    return {"tokens": used.total, "usd": used.priced_usd, "calls": used.calls}
