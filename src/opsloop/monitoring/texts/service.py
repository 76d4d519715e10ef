"""Keep texts in the transaction that keeps the request's record, read them back, let go of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, Table, delete, func, select, update

from opsloop.core.caller import Role, system
from opsloop.core.db.many import insert_new
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.monitoring.instants import instant_of, microseconds
from opsloop.monitoring.models import RequestRecord
from opsloop.monitoring.texts._tables import RequestTextRow
from opsloop.monitoring.texts.models import KeptTexts

BATCH = 2_000
"""Requests whose texts go in one transaction: more would hold the database's write lock for long."""
MAX_LIMIT = 10_000
_DAY_US = 86_400_000_000
_IDS_AT_ONCE = 500
_TABLE = cast(Table, RequestTextRow.__table__)
_COLUMNS = (
    *("key", "request_id", "endpoint", "release", "arm", "started_us", "expires_us", "earlier_turns"),
    *("question", "answer"),
)


def keep(uow: UnitOfWork, records: Sequence[RequestRecord]) -> None:
    """Store the texts of records that have any; a record that came before stays as it is."""
    values = [_values(record) for record in records if record.texts is not None and record.status == "ok"]
    if values:
        insert_new(uow.session, _TABLE, _COLUMNS, values, key="key")


def newest(
    uow: UnitOfWork,
    *,
    endpoint: str | None = None,
    since: datetime | None = None,
    before_seq: int | None = None,
    limit: int = 100,
) -> list[KeptTexts]:
    """The newest first; those whose time is over are not shown, whether they went already or not."""
    uow.by.require(Role.DEVELOPER)
    query = select(RequestTextRow).where(RequestTextRow.expires_us > microseconds(uow.clock.now()))
    if endpoint is not None:
        query = query.where(RequestTextRow.endpoint == endpoint)
    if since is not None:
        query = query.where(RequestTextRow.started_us >= microseconds(since))
    if before_seq is not None:
        query = query.where(RequestTextRow.seq < before_seq)
    found = uow.session.scalars(query.order_by(RequestTextRow.seq.desc()).limit(max(1, min(limit, MAX_LIMIT))))
    return [_kept(row) for row in found]


def of_requests(uow: UnitOfWork, request_ids: Collection[str]) -> dict[str, KeptTexts]:
    """Texts by the id that the caller saw; of an id that came twice the newest."""
    uow.by.require(Role.DEVELOPER)
    now_us = microseconds(uow.clock.now())
    wanted = list(request_ids)
    found: dict[str, KeptTexts] = {}
    for at in range(0, len(wanted), _IDS_AT_ONCE):
        mine = RequestTextRow.request_id.in_(wanted[at : at + _IDS_AT_ONCE])
        query = select(RequestTextRow).where(mine, RequestTextRow.expires_us > now_us).order_by(RequestTextRow.seq)
        found |= {row.request_id: _kept(row) for row in uow.session.scalars(query)}
    return found


@dataclass(frozen=True, slots=True)
class Arrived:
    """That the texts of a request were kept, under a number of their order."""

    seq: int
    request_id: str


def arrived(uow: UnitOfWork, endpoint: str, after_seq: int, limit: int = MAX_LIMIT) -> list[Arrived]:
    """Requests of an endpoint whose texts came after a number, oldest first."""
    uow.by.require(Role.DEVELOPER)
    query = select(RequestTextRow.seq, RequestTextRow.request_id)
    query = query.where(RequestTextRow.endpoint == endpoint, RequestTextRow.seq > after_seq)
    return [Arrived(*row) for row in uow.session.execute(query.order_by(RequestTextRow.seq).limit(limit))]


def last_seq(uow: UnitOfWork, endpoint: str) -> int:
    """The number of the texts of an endpoint that came last; 0 when there are none."""
    uow.by.require(Role.VIEWER)
    query = select(func.max(RequestTextRow.seq)).where(RequestTextRow.endpoint == endpoint)
    return uow.session.scalar(query) or 0


def erase(uow: UnitOfWork, request_id: str) -> int:
    """Let go of a request's texts before their time; returns of how many records."""
    uow.by.require(Role.OPERATOR)
    gone = _deleted(uow, delete(RequestTextRow).where(RequestTextRow.request_id == request_id))
    if gone:
        uow.audit("texts.erased", f"request/{request_id}", records=gone)
    return gone


def shorten(uow: UnitOfWork, endpoint: str, days: float) -> None:
    """Let texts of an endpoint that are kept already go after so many days too, if that is sooner; 0: at once."""
    mine = RequestTextRow.endpoint == endpoint
    if days <= 0:
        uow.session.execute(delete(RequestTextRow).where(mine))
        return
    sooner = RequestTextRow.started_us + round(days * _DAY_US)
    uow.session.execute(
        update(RequestTextRow).where(mine, RequestTextRow.expires_us > sooner).values(expires_us=sooner)
    )


def prune(workspace: Workspace) -> int:
    """Delete what is past its days; returns of how many requests."""
    by = system("monitoring")
    total = 0
    while True:
        with workspace.reading(by) as uow:
            old = select(RequestTextRow.seq).where(RequestTextRow.expires_us <= microseconds(uow.clock.now()))
            found = uow.session.scalars(old.limit(BATCH)).all()
        if found:
            with workspace.writing(by) as uow:
                uow.session.execute(delete(RequestTextRow).where(RequestTextRow.seq.in_(found)))
        total += len(found)
        if len(found) < BATCH:
            return total


def _deleted(uow: UnitOfWork, statement: Any) -> int:
    return cast(CursorResult[Any], uow.session.execute(statement)).rowcount


def _values(record: RequestRecord) -> tuple[Any, ...]:
    """In the order of _COLUMNS."""
    texts = record.texts
    assert texts is not None
    started_us = microseconds(record.started_at)
    return (
        record.key,
        record.request_id,
        record.endpoint,
        record.release,
        record.arm,
        started_us,
        microseconds(record.started_at + timedelta(days=texts.days)),
        texts.earlier_turns,
        texts.question,
        texts.answer,
    )


def _kept(row: RequestTextRow) -> KeptTexts:
    return KeptTexts(
        seq=row.seq,
        request_id=row.request_id,
        endpoint=row.endpoint,
        release=row.release,
        arm=row.arm,
        at=instant_of(row.started_us),
        expires_at=instant_of(row.expires_us),
        earlier_turns=row.earlier_turns,
        question=row.question,
        answer=row.answer,
    )
