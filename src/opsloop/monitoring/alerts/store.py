"""Move alerts from state to state: found, firing, resolved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import func, select

from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alerts import silencing
from opsloop.monitoring.alerts._tables import AlertRow
from opsloop.monitoring.alerts.events import AlertFired, AlertResolved
from opsloop.monitoring.alerts.models import OURS, Alert, AlertId, AlertState, Condition, Severity, Silence

HOLD_S = 300.0
"""How long an alert stays after its condition is gone, so that one that comes and goes is one alert."""
FLAPPING = timedelta(hours=6)
MOST_DOUBLINGS = 3
_RANK: dict[str, int] = {"page": 0, "ticket": 1, "info": 2}


def fingerprint(source: str, rule: str, labels: Mapping[str, str]) -> str:
    """What makes an alert the same one when it is found again."""
    text = json.dumps([source, rule, sorted(labels.items())], ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def active(uow: UnitOfWork, source: str = OURS) -> list[AlertRow]:
    query = select(AlertRow).where(AlertRow.active.is_not(None), AlertRow.source == source)
    return list(uow.session.scalars(query.order_by(AlertRow.started_at, AlertRow.id)))


def see(uow: UnitOfWork, condition: Condition, *, source: str = OURS, silences: Sequence[Silence] = ()) -> AlertRow:
    """Note that a condition holds now: a new alert, or the one there is."""
    now, mark = uow.clock.now(), fingerprint(source, condition.rule, condition.labels)
    row = uow.session.scalar(select(AlertRow).where(AlertRow.active == mark))
    if row is None:
        row = _new(uow, condition, source, mark, now)
    row.seen_at, row.summary = now, condition.summary
    if _RANK[condition.severity] < _RANK[row.severity] or row.state == AlertState.PENDING:
        row.severity = condition.severity
    if condition.lasts_s is not None:
        row.ends_at = now + timedelta(seconds=condition.lasts_s)
    has_held = condition.holds_s <= 0 or (now - row.started_at).total_seconds() >= condition.holds_s
    if row.state == AlertState.PENDING and has_held:
        fire(uow, row, silences)
    return row


def _new(uow: UnitOfWork, condition: Condition, source: str, mark: str, now: datetime) -> AlertRow:
    row = AlertRow(
        id=uow.ids.new("alert"),
        source=source,
        rule=condition.rule,
        endpoint=condition.endpoint,
        severity=condition.severity,
        state=AlertState.PENDING,
        fingerprint=mark,
        active=mark,
        labels=dict(condition.labels),
        summary=condition.summary,
        times=0,
        started_at=now,
        seen_at=now,
        is_end_told=False,
    )
    uow.session.add(row)
    uow.session.flush()
    return row


def fire(uow: UnitOfWork, row: AlertRow, silences: Sequence[Silence]) -> None:
    row.state, row.fired_at = AlertState.FIRING, uow.clock.now()
    row.times += 1
    is_silenced = silencing.silence_of(as_alert(row), silences) is not None
    uow.audit("alert.fired", _target(row), alert=row.id, rule=row.rule, severity=row.severity, said=row.summary)
    uow.emit(AlertFired(row.id, row.endpoint, row.rule, row.severity, row.summary, row.source, is_silenced))


def resolve(uow: UnitOfWork, row: AlertRow, reason: str) -> None:
    """End an alert; one that nobody was told of is forgotten."""
    if row.state == AlertState.PENDING:
        uow.session.delete(row)
        uow.session.flush()
        return
    row.state, row.active, row.resolved_at = AlertState.RESOLVED, None, uow.clock.now()
    uow.session.flush()
    uow.audit("alert.resolved", _target(row), alert=row.id, rule=row.rule, reason=reason)
    uow.emit(AlertResolved(row.id, row.endpoint, row.rule, row.severity, reason, row.source))


def resolve_gone(uow: UnitOfWork, seen: set[str]) -> None:
    """End alerts whose condition is gone for long enough, and those of events whose time is over."""
    now = uow.clock.now()
    for row in active(uow):
        if row.id in seen:
            continue
        if row.ends_at is not None:
            if row.ends_at <= now:
                resolve(uow, row, "its time is over")
        elif row.state == AlertState.PENDING or (now - row.seen_at).total_seconds() >= hold_s(uow, row):
            resolve(uow, row, "what it was about is over")


def hold_s(uow: UnitOfWork, row: AlertRow) -> float:
    """How long an alert stays after its condition is gone: twice as long for each time it came back of late."""
    since = uow.clock.now() - FLAPPING
    came = uow.session.scalar(
        select(func.count()).where(
            AlertRow.fingerprint == row.fingerprint, AlertRow.resolved_at >= since, AlertRow.id != row.id
        )
    )
    return float(HOLD_S * 2 ** min(came or 0, MOST_DOUBLINGS))


def as_alert(row: AlertRow, silences: Sequence[Silence] = ()) -> Alert:
    alert = Alert(
        id=AlertId(row.id),
        source=row.source,
        rule=row.rule,
        endpoint=row.endpoint,
        severity=cast(Severity, row.severity),
        state=AlertState(row.state),
        labels=row.labels,
        summary=row.summary,
        times=row.times,
        started_at=row.started_at,
        fired_at=row.fired_at,
        resolved_at=row.resolved_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
    )
    return silencing.marked(alert, silences)


def is_more_urgent(severity: str, than: str | None) -> bool:
    return than is None or _RANK[severity] < _RANK[than]


def _target(row: AlertRow) -> str:
    return f"endpoint/{row.endpoint}" if row.endpoint else f"alert/{row.id}"
