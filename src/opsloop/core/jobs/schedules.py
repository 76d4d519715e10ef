"""Schedules: a cron expression in UTC and the job it asks for.

The job of each occurrence has an id made from the schedule's name and the occurrence's instant, so that two processes,
a restart or a clock that jumps back ask for it once. Occurrences missed while nothing ran are caught up as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from opsloop.core.caller import Role, system
from opsloop.core.jobs import service
from opsloop.core.jobs._tables import ScheduleRow
from opsloop.core.jobs.cron import next_occurrence
from opsloop.core.workspace import UnitOfWork, Workspace


@dataclass(frozen=True, slots=True)
class Schedule:
    name: str
    cron: str
    kind: str
    payload: dict[str, Any]
    next_at: datetime
    last_at: datetime | None


def put(
    uow: UnitOfWork, name: str, *, cron: str, kind: str, payload: dict[str, Any], on_record: bool = True
) -> Schedule:
    """Set a schedule; one that exists under the name is replaced.

    Args:
        on_record: whether the audit trail tells of it; not of what every installation has, for that is nobody's doing.
    Raises: InvalidInput when `cron` is not five fields of a cron expression.
    """
    uow.by.require(Role.DEVELOPER)
    next_at = next_occurrence(cron, uow.clock.now())
    row = uow.session.get(ScheduleRow, name)
    if row is None:
        row = ScheduleRow(name=name)
        uow.session.add(row)
    if (row.cron, row.kind, row.payload) != (cron, kind, payload):
        row.cron, row.kind, row.payload, row.next_at, row.created_by = cron, kind, payload, next_at, uow.by.name
        if on_record:
            uow.audit("schedule.set", f"schedule/{name}", cron=cron, kind=kind)
    return _schedule(row)


def remove(uow: UnitOfWork, name: str, *, on_record: bool = True) -> None:
    """Args: on_record: as `put` has it."""
    uow.by.require(Role.DEVELOPER)
    row = uow.session.get(ScheduleRow, name)
    if row is not None:
        uow.session.delete(row)
        if on_record:
            uow.audit("schedule.removed", f"schedule/{name}")


def get(uow: UnitOfWork, name: str) -> Schedule | None:
    uow.by.require(Role.VIEWER)
    row = uow.session.get(ScheduleRow, name)
    return None if row is None else _schedule(row)


def listed(uow: UnitOfWork) -> list[Schedule]:
    uow.by.require(Role.VIEWER)
    return [_schedule(row) for row in uow.session.scalars(select(ScheduleRow).order_by(ScheduleRow.name))]


def fire_due(workspace: Workspace) -> int:
    """Ask for the jobs whose time has come; returns how many."""
    with workspace.reading(system("scheduler")) as uow:
        due = uow.session.scalar(select(ScheduleRow.name).where(ScheduleRow.next_at <= uow.clock.now()).limit(1))
    if due is None:
        return 0
    with workspace.writing(system("scheduler")) as uow:
        now = uow.clock.now()
        rows = uow.session.scalars(
            select(ScheduleRow).where(ScheduleRow.next_at <= now).with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            service.enqueue(uow, row.kind, row.payload, id=f"schedule:{row.name}:{row.next_at:%Y%m%dT%H%M%SZ}")
            row.last_at = row.next_at
            row.next_at = next_occurrence(row.cron, now)
        return len(rows)


def _schedule(row: ScheduleRow) -> Schedule:
    return Schedule(row.name, row.cron, row.kind, row.payload, row.next_at, row.last_at)
