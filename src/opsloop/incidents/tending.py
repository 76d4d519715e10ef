"""What nobody tells: signals that are over, and what going incidents cost by now.

A source that the platform's tending asks every few seconds.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil

from sqlalchemy import select

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import _rows, impact, taking_in
from opsloop.incidents._tables import IncidentRow, SignalRow
from opsloop.incidents.intake import endings
from opsloop.incidents.intake.ending import Ending
from opsloop.incidents.models import Signal

EVERY_S = 30.0
MOST = 500


class Tending:
    """One of each process; two that look at once end each signal once."""

    def __init__(self, *, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._next_s = float("-inf")

    def any_uncounted(self, uow: UnitOfWork) -> bool:
        """Whether it is time, and something goes on."""
        now_s = uow.clock.monotonic_s()
        if now_s < self._next_s:
            return False
        self._next_s = now_s + self._every_s
        goes_on = select(IncidentRow.id).where(IncidentRow.state.in_(impact.GOING_ON))
        return uow.session.scalar(goes_on.limit(1)) is not None or bool(_going_on(uow, limit=1))

    def advance(self, uow: UnitOfWork) -> int:
        """End what is over, and count what incidents cost; returns how many signals ended."""
        ended = end_due(uow)
        impact.refresh(uow)
        return ended


def end_due(uow: UnitOfWork) -> int:
    """End signals that are over though nobody said so; returns how many."""
    over = {signal.fingerprint: why for signal in _going_on(uow, limit=MOST) if (why := _why(uow, signal))}
    taking_in.end(uow, over)
    return len(over)


def _why(uow: UnitOfWork, signal: Signal) -> str | None:
    mine = (each for each in _known() if signal.kind in each.kinds)
    return next((why for each in mine if (why := each.why(uow, signal))), None)


def _going_on(uow: UnitOfWork, *, limit: int) -> list[Signal]:
    """Signals of kinds that an ending knows, those that were told longest ago first."""
    kinds = {kind for each in _known() for kind in each.kinds}
    query = select(SignalRow).where(
        SignalRow.active.is_not(None), SignalRow.ended_at.is_(None), SignalRow.kind.in_(sorted(kinds))
    )
    return [
        _rows.signal(row) for row in uow.session.scalars(query.order_by(SignalRow.seen_at, SignalRow.id).limit(limit))
    ]


@functools.cache
def _known() -> tuple[Ending, ...]:
    """Those of few kinds first: they tell more than that it is quiet."""
    names = sorted(each.name for each in pkgutil.iter_modules(endings.__path__))
    found = [importlib.import_module(f"{endings.__name__}.{name}").ENDING for name in names]
    return tuple(sorted(found, key=lambda each: len(each.kinds)))
