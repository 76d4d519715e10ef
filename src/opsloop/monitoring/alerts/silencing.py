"""Silences: which alerts nobody is told of, until when, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alerts._tables import SilenceRow
from opsloop.monitoring.alerts.models import Alert, Silence

MAX_MATCHERS = 10
MAX_S = 30 * 86_400.0
LONGEST_REASON = 2_000


def silence(uow: UnitOfWork, matchers: Mapping[str, Any], *, lasts_s: float, reason: str) -> Silence:
    """Tell nobody of alerts that match. Raises: InvalidInput."""
    uow.by.require(Role.OPERATOR)
    if not matchers or len(matchers) > MAX_MATCHERS:
        wanted = f"1 to {MAX_MATCHERS} matchers such as endpoint=support-chat"
        raise InvalidInput(f"matchers: {len(matchers)} were given; wanted {wanted}", field="matchers")
    for name, value in matchers.items():
        if not isinstance(value, str) or not value or len(name) + len(value) > 400 or "\0" in name + value:
            raise InvalidInput(field=f"matchers.{name}", value=value, wanted="a text; * stands for anything")
    if not 0 < lasts_s <= MAX_S:
        raise InvalidInput(field="lasts_s", value=lasts_s, wanted=f"seconds, more than 0 and at most {MAX_S:g}")
    said = reason.strip()
    if not said or len(said) > LONGEST_REASON or "\0" in said:
        raise InvalidInput(field="reason", value=reason, wanted=f"1 to {LONGEST_REASON} characters that say why")
    row = SilenceRow(
        id=uow.ids.new("silence"),
        matchers=dict(matchers),
        reason=said,
        until=uow.clock.now() + timedelta(seconds=lasts_s),
        created_at=uow.clock.now(),
        created_by=uow.by.name,
    )
    uow.session.add(row)
    uow.session.flush()
    uow.audit("alerts.silenced", f"silence/{row.id}", matchers=dict(matchers), lasts_s=lasts_s, reason=said)
    return _silence(row)


def end(uow: UnitOfWork, silence: str) -> Silence:
    """Tell of them again from now on. Raises: NotFound."""
    uow.by.require(Role.OPERATOR)
    row = uow.session.get(SilenceRow, silence) if "\0" not in silence else None
    if row is None:
        raise NotFound(noun="silence", name=silence)
    if row.until > uow.clock.now():
        row.until = uow.clock.now()
        uow.audit("silence.ended", f"silence/{row.id}")
    return _silence(row)


def current(uow: UnitOfWork) -> list[Silence]:
    """Silences that hold now."""
    uow.by.require(Role.VIEWER)
    query = select(SilenceRow).where(SilenceRow.until > uow.clock.now()).order_by(SilenceRow.until, SilenceRow.id)
    return [_silence(row) for row in uow.session.scalars(query)]


def silence_of(alert: Alert, silences: Sequence[Silence]) -> Silence | None:
    """The silence that an alert falls under."""
    named = {
        **alert.labels,
        "rule": alert.rule,
        "endpoint": alert.endpoint,
        "severity": alert.severity,
        "source": alert.source,
        "alert": alert.id,
    }
    for each in silences:
        if all(fnmatchcase(str(named.get(name, "")), value) for name, value in each.matchers.items()):
            return each
    return None


def marked(alert: Alert, silences: Sequence[Silence]) -> Alert:
    return replace(alert, is_silenced=True) if silence_of(alert, silences) is not None else alert


def _silence(row: SilenceRow) -> Silence:
    return Silence(row.id, row.matchers, row.reason, row.until, row.created_at, row.created_by)
