"""A detector whose signals were called false alarms needs to tell one more often before an incident opens.

From the third false alarm in a row on, its signal is told twice before it opens an incident, then four times, at most
eight. One incident of it that had a cause, or a person, sets it back.
"""

from __future__ import annotations

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import text as texts
from opsloop.incidents._tables import DetectorRow, SignalRow
from opsloop.incidents.learning.models import MUTED, Detector
from opsloop.incidents.models import ClosedAs

TOLERATED = 3
"""False alarms in a row that raise what a detector needs."""
MOST_DOUBLINGS = 3


def learn(uow: UnitOfWork, incident: str, closed_as: ClosedAs) -> None:
    """What the end of an incident says of the detectors that found its signals. Something else says nothing."""
    if closed_as is ClosedAs.OTHER:
        return
    query = select(SignalRow.source, SignalRow.kind, SignalRow.name).where(SignalRow.incident == incident).distinct()
    for source, kind, name in sorted(tuple(row) for row in uow.session.execute(query)):
        row = _row(uow, source, kind, name)
        before = row.needs_times
        if closed_as is ClosedAs.FALSE_ALARM:
            row.false_alarms += 1
        else:
            row.false_alarms, row.confirmed = 0, row.confirmed + 1
        if row.needs_times < MUTED:
            row.needs_times = needed(row.false_alarms)
        row.changed_at, row.changed_by = uow.clock.now(), uow.by.name
        if row.needs_times != before:
            _audit(uow, row, before, because=f"incident {incident} was closed as {closed_as.value}")


def needed(false_alarms: int) -> int:
    """How often a signal is told before it opens an incident, after so many false alarms in a row."""
    doublings = 0 if false_alarms < TOLERATED else false_alarms - TOLERATED + 1
    return int(2 ** min(doublings, MOST_DOUBLINGS))


def listed(uow: UnitOfWork) -> list[Detector]:
    """The ones that cried wolf most first."""
    uow.by.require(Role.VIEWER)
    query = select(DetectorRow).order_by(DetectorRow.false_alarms.desc(), DetectorRow.name, DetectorRow.mark)
    return [_detector(row) for row in uow.session.scalars(query.limit(1_000))]


def forgive(uow: UnitOfWork, mark: str) -> Detector:
    """Let a detector's signals open incidents at once again. Raises: NotFound."""
    uow.by.require(Role.OPERATOR)
    row = uow.session.get(DetectorRow, mark) if "\0" not in mark else None
    if row is None:
        raise NotFound(noun="detector", name=mark)
    before = row.needs_times
    row.false_alarms, row.needs_times = 0, 1
    row.changed_at, row.changed_by = uow.clock.now(), uow.by.name
    _audit(uow, row, before, because="a person set it back")
    return _detector(row)


def mute(uow: UnitOfWork, mark: str) -> Detector:
    """Let a detector's signals open and join no incident until somebody forgives it. Raises: NotFound."""
    uow.by.require(Role.OPERATOR)
    row = uow.session.get(DetectorRow, mark) if "\0" not in mark else None
    if row is None:
        names = next((each for each in _seen(uow) if texts.mark(*each) == mark), None)
        if names is None:
            raise NotFound(noun="detector", name=mark)
        row = _row(uow, *names)
    before, row.needs_times = row.needs_times, MUTED
    row.changed_at, row.changed_by = uow.clock.now(), uow.by.name
    _audit(uow, row, before, because="a person muted it")
    return _detector(row)


def _seen(uow: UnitOfWork) -> list[tuple[str, str, str]]:
    query = select(SignalRow.source, SignalRow.kind, SignalRow.name).distinct()
    return [(source, kind, name) for source, kind, name in uow.session.execute(query)]


def _audit(uow: UnitOfWork, row: DetectorRow, before: int, *, because: str) -> None:
    target = f"detector/{row.mark}"
    uow.audit(
        "detector.changed", target, name=row.name, source=row.source, was=before, now=row.needs_times, because=because
    )


def _row(uow: UnitOfWork, source: str, kind: str, name: str) -> DetectorRow:
    mark = texts.mark(source, kind, name)
    row = uow.session.get(DetectorRow, mark)
    if row is None:
        row = DetectorRow(
            mark=mark,
            source=source,
            kind=kind,
            name=name,
            false_alarms=0,
            confirmed=0,
            needs_times=1,
            changed_at=uow.clock.now(),
            changed_by=uow.by.name,
        )
        uow.session.add(row)
    return row


def _detector(row: DetectorRow) -> Detector:
    return Detector(
        mark=row.mark,
        source=row.source,
        kind=row.kind,
        name=row.name,
        false_alarms=row.false_alarms,
        confirmed=row.confirmed,
        needs_times=row.needs_times,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
    )
