"""Tell channels of alerts: once when they fire, again when nobody deals with them, once when they are over.

What concerns one endpoint goes as one message. An Alertmanager is told in another way: it is sent what fires every
minute, for it takes for resolved what it hears nothing of, and it groups, silences and repeats by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby

from sqlalchemy import select

from opsloop.core.notices import service as notices
from opsloop.core.notices.models import Delivery, DeliveryState
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alerts import forms, store
from opsloop.monitoring.alerts._tables import AlertRow
from opsloop.monitoring.alerts.channels import Channel
from opsloop.monitoring.alerts.models import OURS, Alert, AlertState, Silence

REPEAT = timedelta(hours=4)
PUSH = timedelta(seconds=60)
_MOST = 1_000


def tell(uow: UnitOfWork, channels: Sequence[Channel], silences: Sequence[Silence]) -> None:
    """Tell what has to be told now, of alerts that were found here."""
    rows = _to_look_at(uow)
    people = [each for each in channels if each.form != "alertmanager"]
    due = [(row, store.as_alert(row)) for row in rows if _is_due(uow, row, silences)]
    for _, group in groupby(sorted(due, key=lambda pair: pair[1].endpoint), key=lambda pair: pair[1].endpoint):
        pairs = list(group)
        for channel in people:
            if taken := [alert for _, alert in pairs if channel.takes(alert)]:
                send(uow, channel, taken)
        for row, _ in pairs:
            _note_told(uow, row)
    _push(uow, [each for each in channels if each.form == "alertmanager"], rows, silences)


def send(uow: UnitOfWork, channel: Channel, alerts: Sequence[Alert]) -> Delivery:
    """One message to one channel once this transaction is committed."""
    now = uow.clock.now()
    about = f"channel/{channel.name}"
    match channel.form:
        case "webhook":
            body = forms.as_json(alerts, now)
            return notices.deliver(uow, channel.url, body, secret=channel.secret, kind=forms.KIND, about=about)
        case "slack":
            return notices.deliver(uow, channel.url, forms.as_slack(alerts), kind=forms.KIND, about=about)
        case "mail":
            return notices.deliver(uow, channel.url, forms.as_letter(alerts), kind=forms.KIND, about=about)
        case "alertmanager":
            return notices.deliver(uow, channel.url, forms.as_alertmanager(alerts, now), kind=forms.KIND, about=about)


def _to_look_at(uow: UnitOfWork) -> list[AlertRow]:
    """What fires, and what ended and was not told to have."""
    query = select(AlertRow).where(
        AlertRow.source == OURS,
        (AlertRow.state == AlertState.FIRING)
        | ((AlertRow.state == AlertState.RESOLVED) & AlertRow.is_end_told.is_(False)),
    )
    return list(uow.session.scalars(query.order_by(AlertRow.started_at, AlertRow.id).limit(_MOST)))


def _is_due(uow: UnitOfWork, row: AlertRow, silences: Sequence[Silence]) -> bool:
    if row.state == AlertState.RESOLVED:
        return row.told_at is not None
    if store.as_alert(row, silences).is_silenced:
        return False
    if row.told_at is None or store.is_more_urgent(row.severity, row.told_as):
        return True
    return row.acknowledged_at is None and uow.clock.now() - row.told_at >= REPEAT


def _note_told(uow: UnitOfWork, row: AlertRow) -> None:
    if row.state == AlertState.FIRING:
        row.told_at, row.told_as = uow.clock.now(), row.severity


def _push(uow: UnitOfWork, channels: Sequence[Channel], rows: Iterable[AlertRow], silences: Sequence[Silence]) -> None:
    """Send Alertmanagers what fires and what ended; note of what ended that nothing is left to tell."""
    now = uow.clock.now()
    due = []
    for row in rows:
        has_ended = row.state == AlertState.RESOLVED
        is_silenced = not has_ended and store.as_alert(row, silences).is_silenced
        if not is_silenced and (row.pushed_at is None or has_ended or now - row.pushed_at >= PUSH):
            due.append(row)
        if has_ended:
            row.is_end_told = True
    for channel in channels:
        taken = [alert for alert in map(store.as_alert, due) if channel.takes(alert)]
        # While one waits another would not come through either; a change always goes.
        if taken and (_is_free(uow, channel) or any(each.state is AlertState.RESOLVED for each in taken)):
            send(uow, channel, taken)
    for row in due:
        row.pushed_at = now


def _is_free(uow: UnitOfWork, channel: Channel) -> bool:
    last = notices.listed(uow, about=f"channel/{channel.name}", limit=1)
    return not last or last[0].state is not DeliveryState.PENDING
