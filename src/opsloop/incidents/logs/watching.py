"""Watch the log records that the platform stores, of each service by itself.

A source that the platform's tending asks every few seconds. Records are looked at once, in the transaction that says
so: what a process that dies had not committed, the next one looks at again.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.learning.models import LogsWatch
from opsloop.incidents.logs._tables import LogWatchRow
from opsloop.incidents.logs.anomalies import LogAnomaly, LogWatch
from opsloop.incidents.logs.events import LogAnomalyFound
from opsloop.incidents.logs.fingerprint import fingerprint_of_masked
from opsloop.monitoring.telemetry import logs
from opsloop.monitoring.telemetry.logs import StoredLog

log = structlog.get_logger()
EVERY = timedelta(seconds=30)
AT_ONCE = 5_000
# Services whose usual lines are kept; a sender that makes up names has no more.
MOST_SERVICES = 200
# OpenTelemetry's severity numbers: 17 to 20 are errors, 21 to 24 fatal.
ERROR = 17
_CURSOR = ""


def any_uncounted(uow: UnitOfWork) -> bool:
    """Whether there may be records to look at, and it is time."""
    cursor = uow.session.get(LogWatchRow, _CURSOR)
    if cursor is None:
        return logs.last(uow) > 0
    # A clock that was set back does not stop the watch.
    is_due = abs(uow.clock.now() - cursor.watched_at) >= EVERY
    return is_due and (cursor.seq < cursor.ceiling or logs.last(uow) > cursor.ceiling)


def advance(uow: UnitOfWork) -> int:
    """Look at the records that were there the time before, at most 5,000; emits `LogAnomalyFound`; returns how many.

    The newest wait for the next time: by then records of lower numbers are there too.
    """
    cursor = _cursor(uow)
    records = logs.after(uow, cursor.seq, to=cursor.ceiling, limit=AT_ONCE)
    for service, of in _by_service(records).items():
        _watch(uow, service, of)
    if len(records) == AT_ONCE:
        cursor.seq = records[-1].seq
    else:
        cursor.seq, cursor.ceiling = cursor.ceiling, max(cursor.ceiling, logs.last(uow))
        cursor.watched_at = uow.clock.now()
    uow.session.flush()
    return len(records)


def watches(uow: UnitOfWork) -> list[LogsWatch]:
    """Services whose records are watched, by name."""
    uow.by.require(Role.VIEWER)
    query = select(LogWatchRow.service, LogWatchRow.watched_at).where(LogWatchRow.service != _CURSOR)
    return [LogsWatch(service, at) for service, at in uow.session.execute(query.order_by(LogWatchRow.service))]


def _cursor(uow: UnitOfWork) -> LogWatchRow:
    """The row that says how far the watch is; this transaction's alone until it ends."""
    insert = sqlite.insert if uow.workspace.database.is_sqlite else postgresql.insert
    new = {"service": _CURSOR, "seq": 0, "ceiling": logs.last(uow), "content": b"", "watched_at": uow.clock.now()}
    uow.session.execute(insert(LogWatchRow).values(**new).on_conflict_do_nothing())
    asked = select(LogWatchRow).where(LogWatchRow.service == _CURSOR).with_for_update()
    return uow.session.scalars(asked.execution_options(populate_existing=True)).one()


def _by_service(records: Iterable[StoredLog]) -> dict[str, list[StoredLog]]:
    found = defaultdict[str, list[StoredLog]](list)
    for each in records:
        found[each.service or "unknown"].append(each)
    return found


def _watch(uow: UnitOfWork, service: str, records: list[StoredLog]) -> None:
    row = uow.session.get(LogWatchRow, service)
    watch = LogWatch() if row is None else _restored(row)
    found: list[LogAnomaly] = []
    for each in records:
        found += watch.add(each.body, each.at_us / 1e6, is_error=each.severity >= ERROR)
    content = zlib.compress(json.dumps(watch.to_json(), separators=(",", ":")).encode())
    if row is None:
        _make_room(uow)
        row = LogWatchRow(service=service, ceiling=0)
        uow.session.add(row)
    row.seq, row.content, row.watched_at = records[-1].seq, content, uow.clock.now()
    for one in found:
        uow.emit(_event(service, one))


def _restored(row: LogWatchRow) -> LogWatch:
    try:
        return LogWatch.from_json(json.loads(zlib.decompress(row.content)))
    except InvalidInput as error:
        # Kept by another version: what is usual is learned again.
        log.warning("log_watch_begun_again", service=row.service, reason=error.sentence)
        return LogWatch()


def _make_room(uow: UnitOfWork) -> None:
    """Let go of the services that were silent longest."""
    asked = select(LogWatchRow).where(LogWatchRow.service != _CURSOR).order_by(LogWatchRow.seq.desc())
    for row in uow.session.scalars(asked.offset(MOST_SERVICES - 1)).all():
        uow.session.delete(row)
    uow.session.flush()


def _event(service: str, found: LogAnomaly) -> LogAnomalyFound:
    return LogAnomalyFound(
        service=service,
        kind=found.kind,
        template=found.template,
        fingerprint=fingerprint_of_masked(found.template),
        at_s=found.at_s,
        evidence=list(found.evidence),
        count=found.count,
        expected=found.expected,
        p=found.p,
    )
