"""How the detectors stand: what each found of late, and how often it was right, as closed incidents say."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import case, func, select

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import text as texts
from opsloop.incidents._tables import DetectorRow, IncidentRow, SignalRow
from opsloop.incidents.learning.models import MUTED, Standing
from opsloop.incidents.models import ClosedAs

LATE = timedelta(days=30)
MOST = 500


def standings(uow: UnitOfWork) -> list[Standing]:
    """Detectors that found something in the last 30 days, or of which something is learned; false alarms first."""
    uow.by.require(Role.VIEWER)
    learned = {row.mark: row for row in uow.session.scalars(select(DetectorRow).limit(MOST))}
    closed = _closed(uow)
    found = {}
    for source, kind, name, signals, going_on, seen_at in _of_late(uow):
        mark = texts.mark(source, kind, name)
        found[mark] = _standing(source, kind, name, learned.get(mark), closed, int(signals), int(going_on), seen_at)
    for mark, row in learned.items():
        if mark not in found:
            found[mark] = _standing(row.source, row.kind, row.name, row, closed, 0, 0, None)
    return sorted(found.values(), key=lambda each: (-each.false_alarms_ever, -each.signals, each.name, each.mark))


def _of_late(uow: UnitOfWork) -> list[tuple[str, str, str, int, int, datetime]]:
    is_going_on = case((SignalRow.ended_at.is_(None) & SignalRow.active.is_not(None), 1), else_=0)
    query = (
        select(
            *(SignalRow.source, SignalRow.kind, SignalRow.name),
            *(func.count(), func.sum(is_going_on), func.max(SignalRow.seen_at)),
        )
        .where(SignalRow.seen_at >= uow.clock.now() - LATE)
        .group_by(SignalRow.source, SignalRow.kind, SignalRow.name)
        .order_by(func.count().desc())
        .limit(MOST)
    )
    return [tuple(row) for row in uow.session.execute(query)]


def _closed(uow: UnitOfWork) -> dict[tuple[str, str, str, str], int]:
    """Closed incidents with signals of a detector, by what they were closed as."""
    query = (
        select(
            *(SignalRow.source, SignalRow.kind, SignalRow.name),
            *(IncidentRow.closed_as, func.count(SignalRow.incident.distinct())),
        )
        .join(IncidentRow, IncidentRow.id == SignalRow.incident)
        .where(IncidentRow.closed_as.in_((ClosedAs.CAUSE.value, ClosedAs.FALSE_ALARM.value)))
        .group_by(SignalRow.source, SignalRow.kind, SignalRow.name, IncidentRow.closed_as)
    )
    rows = uow.session.execute(query)
    return {(source, kind, name, as_ or ""): count for source, kind, name, as_, count in rows}


def _standing(
    source: str,
    kind: str,
    name: str,
    row: DetectorRow | None,
    closed: dict[tuple[str, str, str, str], int],
    signals: int,
    going_on: int,
    seen_at: datetime | None,
) -> Standing:
    needs = row.needs_times if row is not None else 1
    return Standing(
        mark=texts.mark(source, kind, name),
        source=source,
        kind=kind,
        name=name,
        signals=signals,
        going_on=going_on,
        seen_at=seen_at,
        confirmed=closed.get((source, kind, name, ClosedAs.CAUSE.value), 0),
        false_alarms_ever=closed.get((source, kind, name, ClosedAs.FALSE_ALARM.value), 0),
        false_alarms=row.false_alarms if row is not None else 0,
        needs_times=needs,
        is_muted=needs >= MUTED,
    )
