"""Model servers that are down: their breaker has been open for a while. Told once, and again when they answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opsloop.core.events.types import event_type
from opsloop.core.workspace import UnitOfWork
from opsloop.llm import breaker
from opsloop.llm.breaker import Breaker


@event_type("provider.down")
@dataclass(frozen=True, slots=True)
class ProviderDown:
    """Args: server: its address; seconds: since calls are kept away from it."""

    server: str
    seconds: float
    sentence: str


@event_type("provider.up")
@dataclass(frozen=True, slots=True)
class ProviderUp:
    server: str
    sentence: str


class Outages:
    """What this process has told of the breakers it has.

    Args:
        after_s: a shorter rest is not told.
        breakers: those there are; of two of one server the one that is open longest counts.
    """

    def __init__(self, *, after_s: float, breakers: Callable[[], Sequence[Breaker]] = breaker.named) -> None:
        self._after_s = after_s
        self._breakers = breakers
        self.told: frozenset[str] = frozenset()
        """Servers that were told as down; set it to what `tell` gave once its transaction is committed."""

    def tell(self, uow: UnitOfWork) -> frozenset[str]:
        """Say what is down now and was not, and what is up again."""
        told = set(self.told)
        open_for_s: dict[str, float] = {}
        for each in self._breakers():
            open_for_s[each.name] = max(each.open_for_s, open_for_s.get(each.name, 0.0))
        for server, seconds in open_for_s.items():
            if seconds > 0 and seconds >= self._after_s and server not in told:
                told.add(server)
                sentence = f"the model server {server} has not answered for {seconds:.0f} s; calls go to others"
                uow.emit(ProviderDown(server, round(seconds, 1), sentence))
        for server in sorted(told):
            if open_for_s.get(server, 0.0) == 0:
                told.discard(server)
                uow.emit(ProviderUp(server, f"the model server {server} answers again"))
        return frozenset(told)
