"""How many tokens diagnoses may take of models in a day.

The most that a call may use is taken before it is made, so that calls at once cannot take more together; what it did
not use goes back. A process that ends in between leaves all of it taken: nobody knows what its call used.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import structlog
from sqlalchemy import CursorResult, delete, update
from sqlalchemy.dialects import postgresql, sqlite

from opsloop.core.caller import system
from opsloop.core.errors import Unavailable
from opsloop.core.web.dependencies import in_writers_thread
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.incidents.diagnosis.generating._tables import DiagnosisDayRow
from opsloop.incidents.diagnosis.generating.budget import DayIsSpent
from opsloop.llm import tabs

log = structlog.get_logger(__name__)
BY = system("diagnosis")
KEPT = timedelta(days=40)


@dataclass(frozen=True, slots=True)
class StoredDay:
    """The budget of every process of a platform. Args: most: tokens a day."""

    workspace: Workspace
    most: int

    @asynccontextmanager
    async def held(self, tokens: int) -> AsyncIterator[None]:
        """Hold so many back while a call is made in it. Raises: DayIsSpent, Unavailable."""
        day = await in_writers_thread(self._take, tokens)
        outer = tabs.current_tab.get()
        tab = tabs.Tab()
        try:
            with tabs.opened(tab):
                yield
        finally:
            calls = tab.take()
            for each in calls if outer is not None else ():
                assert outer is not None
                usd = None if each.unpriced else each.nano_usd / tabs.NANO
                outer.note(each.model, each.tokens_in, each.tokens_out, usd)
            used = sum(each.tokens_in + each.tokens_out for each in calls)
            # Who asked may be gone; what was not used goes back all the same.
            await asyncio.shield(in_writers_thread(self._settle, day, used - tokens))

    def _take(self, tokens: int) -> str:
        with self.workspace.writing(BY) as uow:
            return take(uow, tokens, most=self.most)

    def _settle(self, day: str, more: int) -> None:
        try:
            with self.workspace.writing(BY) as uow:
                add(uow, day, more)
        except Unavailable as error:
            log.warning("diagnosis_day_not_settled", day=day, tokens=more, error=error.sentence)


def take(uow: UnitOfWork, tokens: int, *, most: int) -> str:
    """Take tokens of today; the name of the day. Raises: DayIsSpent."""
    day = f"{uow.clock.now():%Y-%m-%d}"
    insert = sqlite.insert if uow.workspace.database.is_sqlite else postgresql.insert
    uow.session.execute(insert(DiagnosisDayRow).values(day=day, taken=0).on_conflict_do_nothing())
    fits = update(DiagnosisDayRow).where(DiagnosisDayRow.day == day, DiagnosisDayRow.taken + tokens <= most)
    done = uow.session.execute(fits.values(taken=DiagnosisDayRow.taken + tokens))
    if cast(CursorResult[Any], done).rowcount != 1:
        raise DayIsSpent(most=most)
    old = f"{uow.clock.now() - KEPT:%Y-%m-%d}"
    uow.session.execute(delete(DiagnosisDayRow).where(DiagnosisDayRow.day < old))
    return day


def add(uow: UnitOfWork, day: str, tokens: int) -> None:
    """Args: tokens: below 0 when some go back."""
    there = update(DiagnosisDayRow).where(DiagnosisDayRow.day == day)
    uow.session.execute(there.values(taken=DiagnosisDayRow.taken + tokens))
