"""What calls for diagnoses may cost: one of them, and those of a day."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from opsloop.core.errors import Failed
from opsloop.llm.spending import Held, Purse


class TooDear(Failed):
    template = "a diagnosis may cost {most_usd:g} US dollars (setting diagnosis_generate_usd) and could cost {usd:.4g}"


class NoPrice(Failed):
    template = "model {model} has no price, so it cannot be held to diagnosis_generate_usd; see the setting llm_prices"


class DayIsSpent(Failed):
    template = (
        "the models' budget of the day is used up ({most:,} tokens, setting diagnosis_generate_day_tokens); it starts "
        "anew at midnight UTC"
    )


class Day(Protocol):
    def held(self, tokens: int) -> AbstractAsyncContextManager[None]:
        """Hold so many tokens of today back while a call is made in it. Raises: DayIsSpent, Unavailable."""
        ...


class _Nothing:
    def settle(self, tokens: int, usd: float) -> None: ...

    def give_back(self) -> None: ...


class CallBudget:
    """A purse for one call, in front of the purse that its caller has.

    Raises: TooDear, NoPrice; whatever that purse raises.
    """

    def __init__(self, most_usd: float, then: Purse | None) -> None:
        self._most_usd = most_usd
        self._then = then

    async def hold(self, model: str, tokens: int, usd: float | None) -> Held:
        self._check(model, usd)
        return _Nothing() if self._then is None else await self._then.hold(model, tokens, usd)

    def hold_now(self, model: str, tokens: int, usd: float | None) -> Held:
        self._check(model, usd)
        return _Nothing() if self._then is None else self._then.hold_now(model, tokens, usd)

    def _check(self, model: str, usd: float | None) -> None:
        if usd is None:
            raise NoPrice(model=model)
        if usd > self._most_usd:
            raise TooDear(most_usd=self._most_usd, usd=usd)
