"""Raise alarms, look at them, and end them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alarms._tables import AlarmRow
from opsloop.monitoring.alarms.errors import AlarmIsClosed, NoAlarm
from opsloop.monitoring.alarms.models import Alarm, AlarmId, AlarmKind, AlarmState, Evidence, Outcome

LONGEST_REASON = 2_000
MAX_LIMIT = 1_000


def raise_alarm(
    uow: UnitOfWork, kind: AlarmKind, *, endpoint: str, release: str, model: str, evidence: Evidence
) -> Alarm | None:
    """A new alarm; None when one of this kind is open for the release, whoever raised it.

    The caller serialises with the other replicas: see `watches.held`.
    """
    if of_release(uow, kind, endpoint, release) is not None:
        return None
    row = AlarmRow(
        id=uow.ids.new("alarm"),
        kind=kind,
        endpoint=endpoint,
        release=release,
        model=model,
        active=_active(kind, endpoint, release),
        state=AlarmState.OPEN,
        feature=evidence.feature,
        sentence=evidence.sentence,
        score=evidence.score,
        since_row=evidence.since_row,
        since_at=evidence.since_at,
        expected_delay_rows=evidence.expected_delay_rows,
        evidence=evidence.detail,
        opened_at=uow.clock.now(),
    )
    uow.session.add(row)
    uow.session.flush()
    uow.audit("alarm.raised", f"endpoint/{endpoint}", alarm=row.id, kind=kind, release=release, said=evidence.sentence)
    return _alarm(row)


def of_release(uow: UnitOfWork, kind: AlarmKind, endpoint: str, release: str) -> Alarm | None:
    """The alarm of this kind that a release has and nobody closed."""
    query = select(AlarmRow).where(AlarmRow.active == _active(kind, endpoint, release))
    row = uow.session.scalar(query)
    return None if row is None else _alarm(row)


def get(uow: UnitOfWork, alarm: str) -> Alarm:
    """Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    return _alarm(_row(uow, alarm))


def listed(
    uow: UnitOfWork,
    *,
    endpoint: str | None = None,
    kind: AlarmKind | None = None,
    state: AlarmState | None = None,
    limit: int = 100,
) -> list[Alarm]:
    """The newest first."""
    uow.by.require(Role.VIEWER)
    query = select(AlarmRow).order_by(AlarmRow.opened_at.desc(), AlarmRow.id.desc())
    for column, wanted in ((AlarmRow.endpoint, endpoint), (AlarmRow.kind, kind), (AlarmRow.state, state)):
        if wanted is not None:
            query = query.where(column == wanted)
    return _alarms(uow, query.limit(max(1, min(limit, MAX_LIMIT))))


def unclosed(
    uow: UnitOfWork, endpoint: str, *, kind: AlarmKind | None = None, release: str | None = None
) -> list[Alarm]:
    """Open and acknowledged alarms of an endpoint, the newest first."""
    uow.by.require(Role.VIEWER)
    query = select(AlarmRow).where(AlarmRow.endpoint == endpoint, AlarmRow.active.is_not(None))
    if kind is not None:
        query = query.where(AlarmRow.kind == kind)
    if release is not None:
        query = query.where(AlarmRow.release == release)
    return _alarms(uow, query.order_by(AlarmRow.opened_at.desc(), AlarmRow.id.desc()))


def only_unclosed(uow: UnitOfWork, endpoint: str, *, kind: AlarmKind | None = None) -> Alarm:
    """The newest one nobody closed. Raises: NoAlarm."""
    found = unclosed(uow, endpoint, kind=kind)
    if not found:
        raise NoAlarm(endpoint=endpoint, of=f" of kind {kind}" if kind else "")
    return found[0]


def acknowledge(uow: UnitOfWork, alarm: str) -> Alarm:
    """Say that somebody is dealing with it; it stays. Raises: NotFound, AlarmIsClosed."""
    uow.by.require(Role.OPERATOR)
    row = _unclosed(uow, alarm)
    if row.state == AlarmState.OPEN:
        row.state, row.acknowledged_at, row.acknowledged_by = AlarmState.ACKNOWLEDGED, uow.clock.now(), uow.by.name
        uow.audit("alarm.acknowledged", f"endpoint/{row.endpoint}", alarm=row.id)
    return _alarm(row)


def close(uow: UnitOfWork, alarm: str, *, outcome: Outcome, reason: str) -> Alarm:
    """End an alarm; what it means for the watch is the caller's. Raises: NotFound, AlarmIsClosed, InvalidInput."""
    uow.by.require(Role.OPERATOR)
    row = _unclosed(uow, alarm)
    row.state, row.active = AlarmState.CLOSED, None
    row.closed_at, row.closed_by = uow.clock.now(), uow.by.name
    row.outcome, row.reason = outcome, _reason(reason)
    uow.session.flush()
    uow.audit("alarm.closed", f"endpoint/{row.endpoint}", alarm=row.id, outcome=outcome, reason=row.reason)
    return _alarm(row)


def since(uow: UnitOfWork, endpoint: str, instant: datetime) -> list[Alarm]:
    """Alarms raised since an instant, oldest first."""
    uow.by.require(Role.VIEWER)
    query = select(AlarmRow).where(AlarmRow.endpoint == endpoint, AlarmRow.opened_at >= instant)
    return _alarms(uow, query.order_by(AlarmRow.opened_at, AlarmRow.id))


def _alarms(uow: UnitOfWork, query: Select[AlarmRow]) -> list[Alarm]:
    return [_alarm(row) for row in uow.session.scalars(query)]


def _row(uow: UnitOfWork, alarm: str) -> AlarmRow:
    row = uow.session.get(AlarmRow, alarm) if "\0" not in alarm else None
    if row is None:
        raise NotFound(noun="alarm", name=alarm)
    return row


def _unclosed(uow: UnitOfWork, alarm: str) -> AlarmRow:
    row = _row(uow, alarm)
    if row.active is None:
        raise AlarmIsClosed(alarm=row.id, by=row.closed_by, reason=row.reason)
    return row


def _reason(given: str) -> str:
    reason = given.strip()
    if not reason or len(reason) > LONGEST_REASON or "\0" in reason:
        raise InvalidInput(field="reason", value=given, wanted=f"1 to {LONGEST_REASON} characters that say why")
    return reason


def _active(kind: AlarmKind, endpoint: str, release: str) -> str:
    return f"{kind}/{endpoint}/{release}"


def _alarm(row: AlarmRow) -> Alarm:
    return Alarm(
        id=AlarmId(row.id),
        kind=AlarmKind(row.kind),
        endpoint=row.endpoint,
        release=row.release,
        model=row.model,
        state=AlarmState(row.state),
        feature=row.feature,
        sentence=row.sentence,
        score=row.score,
        since_row=row.since_row,
        since_at=row.since_at,
        expected_delay_rows=row.expected_delay_rows,
        evidence=row.evidence,
        opened_at=row.opened_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        reason=row.reason,
    )
