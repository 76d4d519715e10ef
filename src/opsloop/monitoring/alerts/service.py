"""Look at alerts, say that somebody deals with one, try a channel."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import NotFound
from opsloop.core.notices.models import Delivery
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alerts import declaring, silencing, store, telling
from opsloop.monitoring.alerts._tables import AlertRow
from opsloop.monitoring.alerts.errors import AlertIsOver, NoChannel
from opsloop.monitoring.alerts.models import OURS, Alert, AlertId, AlertState

MAX_LIMIT = 1_000


def listed(
    uow: UnitOfWork,
    *,
    endpoint: str | None = None,
    state: AlertState | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
) -> list[Alert]:
    """The newest first; `since`, `until`: those that began in this span."""
    uow.by.require(Role.VIEWER)
    query = select(AlertRow).order_by(AlertRow.started_at.desc(), AlertRow.id.desc())
    if endpoint is not None:
        query = query.where(AlertRow.endpoint == endpoint)
    if state is not None:
        query = query.where(AlertRow.state == state)
    if since is not None:
        query = query.where(AlertRow.started_at >= since)
    if until is not None:
        query = query.where(AlertRow.started_at < until)
    silences = silencing.current(uow)
    rows = uow.session.scalars(query.limit(max(1, min(limit, MAX_LIMIT))))
    return [store.as_alert(row, silences if row.state != AlertState.RESOLVED else ()) for row in rows]


def get(uow: UnitOfWork, alert: str) -> Alert:
    """Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    row = _row(uow, alert)
    return store.as_alert(row, silencing.current(uow) if row.state != AlertState.RESOLVED else ())


def acknowledge(uow: UnitOfWork, alert: str) -> Alert:
    """Say that somebody deals with it: nobody is told of it again. Raises: NotFound, AlertIsOver."""
    uow.by.require(Role.OPERATOR)
    row = _row(uow, alert)
    if row.active is None:
        raise AlertIsOver(alert=row.id, since=row.resolved_at)
    if row.acknowledged_at is None:
        row.acknowledged_at, row.acknowledged_by = uow.clock.now(), uow.by.name
        uow.audit("alert.acknowledged", f"endpoint/{row.endpoint}" if row.endpoint else f"alert/{row.id}", alert=row.id)
    return store.as_alert(row)


def try_channel(uow: UnitOfWork, channel: str) -> Delivery:
    """Send a channel an alert that says it is a test. Raises: NoChannel."""
    uow.by.require(Role.OPERATOR)
    found = next((each for each in declaring.channels(uow) if each.name == channel), None)
    if found is None:
        raise NoChannel(name=channel)
    now = uow.clock.now()
    test = Alert(
        id=AlertId(uow.ids.new("alert")),
        source=OURS,
        rule="test",
        endpoint="",
        severity="info",
        state=AlertState.FIRING,
        labels={},
        summary=f"this is a test of the channel {channel}, asked for by {uow.by.name}; nothing is wrong",
        times=1,
        started_at=now,
        fired_at=now,
        resolved_at=None,
        acknowledged_at=None,
        acknowledged_by=None,
    )
    uow.audit("alert_channel.tested", f"alert-channel/{channel}")
    return telling.send(uow, found, [test])


def _row(uow: UnitOfWork, alert: str) -> AlertRow:
    row = uow.session.get(AlertRow, alert) if "\0" not in alert else None
    if row is None:
        raise NotFound(noun="alert", name=alert)
    return row
