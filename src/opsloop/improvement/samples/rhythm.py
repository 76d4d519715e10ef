"""When live answers are scored: every five minutes, as long as an endpoint wants it.

Without one there is no schedule: a job that finds nothing to do would load the engine of jobs, 25 MB, everywhere.
"""

from __future__ import annotations

from sqlalchemy import exists, select

from opsloop.core.jobs import schedules
from opsloop.core.workspace import UnitOfWork
from opsloop.improvement.samples._tables import ScoringRow

KIND = "answers.score"
CRON = "*/5 * * * *"
RUNS_AN_HOUR = 12


def is_kept(uow: UnitOfWork) -> bool:
    """Whether the schedule is as the declarations of endpoints want it."""
    present = schedules.get(uow, KIND)
    return present is not None and present.cron == CRON if _is_wanted(uow) else present is None


def keep(uow: UnitOfWork) -> None:
    """Make it so."""
    if _is_wanted(uow):
        schedules.put(uow, KIND, cron=CRON, kind=KIND, payload={}, on_record=False)
    else:
        schedules.remove(uow, KIND, on_record=False)


def _is_wanted(uow: UnitOfWork) -> bool:
    return bool(uow.session.scalar(select(exists().where(ScoringRow.endpoint.is_not(None)))))
