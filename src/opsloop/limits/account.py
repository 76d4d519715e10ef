"""The account of one request: what was reserved for it at the door, and what its calls to models hold."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from opsloop.core.errors import OpsloopError
from opsloop.limits.errors import PriceMissing
from opsloop.limits.models import Limit, Meter, Subject, nanos
from opsloop.limits.pool import Ask, Pool, Reservation
from opsloop.llm.spending import current_purse

Limits = Sequence[tuple[Subject, Limit]]
_MONEY = (Meter.DAY, Meter.MONTH)


class Account:
    """Made by `opened`. It is the purse of the calls that are made for its request.

    `refusal` is what a call to a model was refused with: the answer fails for the caller's limit, and not for a fault
    of the release.
    """

    def __init__(self, pool: Pool, limits: Limits) -> None:
        self._pool = pool
        self._limits = limits
        self._door: Reservation | None = None
        self._calls = 0
        self._counting = threading.Lock()
        self.refusal: OpsloopError | None = None

    async def enter(self, tokens: int) -> None:
        """Args: tokens: an estimate of what is asked. Raises: RateReached."""
        amounts = {Meter.CONCURRENT: 1, Meter.REQUESTS: 1, Meter.TOKENS: tokens}
        self._door = await self._pool.reserve(self._asks(amounts))
        self._door.settle([Meter.REQUESTS], 1)

    def used(self, tokens: int) -> None:
        """What the answer says it used; models that were called have said it themselves."""
        if self._door is not None and not self._calls:
            self._door.settle([Meter.TOKENS], tokens)

    def leave(self) -> None:
        """The request has ended; what was not used is given back."""
        if self._door is not None:
            self._door.close()

    async def hold(self, model: str, tokens: int, usd: float | None) -> Spent:
        """For a call to a model. Raises: RateReached, QuotaSpent, PriceMissing."""
        with self._refusals_kept():
            return self._spent(await self._pool.reserve(self._asks_of_call(model, tokens, usd)))

    def hold_now(self, model: str, tokens: int, usd: float | None) -> Spent:
        with self._refusals_kept():
            return self._spent(self._pool.reserve_now(self._asks_of_call(model, tokens, usd)))

    def headers(self) -> list[tuple[bytes, bytes]]:
        """What is left, in the form of OpenAI's API. Source: OpenAI, "Rate limits", "Rate limits in headers"."""
        found: list[tuple[bytes, bytes]] = []
        for meter, name in ((Meter.REQUESTS, "requests"), (Meter.TOKENS, "tokens")):
            states = [self._pool.state(subject, limit, meter) for subject, limit in self._limits]
            narrowest = min((each for each in states if each is not None), key=lambda each: each.left, default=None)
            if narrowest is not None:
                values = {
                    "limit": str(narrowest.limit),
                    "remaining": str(narrowest.left),
                    "reset": _duration(narrowest.resets_s),
                }
                found += [(f"x-ratelimit-{key}-{name}".encode(), value.encode()) for key, value in values.items()]
        return found

    def _spent(self, reservation: Reservation) -> Spent:
        with self._counting:
            self._calls += 1
            is_first = self._calls == 1
        if is_first and self._door is not None:
            self._door.settle([Meter.TOKENS], 0)  # the call's own tokens take the place of the estimate
        return Spent(reservation)

    def _asks_of_call(self, model: str, tokens: int, usd: float | None) -> list[Ask]:
        for subject, limit in self._limits:
            if usd is None and any(limit.most(meter) is not None for meter in _MONEY):
                raise PriceMissing(subject=str(subject), model=model)
        money = nanos(usd or 0.0) or 0
        return self._asks({Meter.TOKENS: tokens, Meter.DAY: money, Meter.MONTH: money})

    def _asks(self, amounts: Mapping[Meter, int]) -> list[Ask]:
        return [
            Ask(subject, limit, meter, amount)
            for subject, limit in self._limits
            for meter, amount in amounts.items()
            if limit.most(meter) is not None
        ]

    @contextmanager
    def _refusals_kept(self) -> Iterator[None]:
        try:
            yield
        except OpsloopError as error:
            self.refusal = error
            raise


class Spent:
    """What one call to a model holds."""

    def __init__(self, reservation: Reservation) -> None:
        self._reservation = reservation

    def settle(self, tokens: int, usd: float) -> None:
        self._reservation.settle([Meter.TOKENS], tokens)
        self._reservation.settle(_MONEY, nanos(usd) or 0)

    def give_back(self) -> None:
        self._reservation.close()


def refusal_of_run() -> OpsloopError | None:
    """What a call of this request to a model was refused with for its limits; None when none was."""
    purse = current_purse.get()
    return purse.refusal if isinstance(purse, Account) else None


def _duration(seconds: float) -> str:
    """As OpenAI writes it: `6m0s`, `1.2s`, `20ms`."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{int(rest)}s" if minutes else f"{rest:.3g}s"
