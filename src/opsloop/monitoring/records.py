"""Store request records and read them back in the order of their arrival."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec
from sqlalchemy import Select, Table, func, select

from opsloop.core.caller import Role
from opsloop.core.db.many import insert_new
from opsloop.core.db.order import one_after_another
from opsloop.core.workspace import UnitOfWork
from opsloop.guardrails.models import Hit
from opsloop.llm.tabs import ModelCalls
from opsloop.monitoring._tables import RequestRow
from opsloop.monitoring.instants import instant_of, microseconds
from opsloop.monitoring.models import ArmName, RequestRecord, Status
from opsloop.monitoring.predictions import service as predictions
from opsloop.monitoring.texts import service as texts
from opsloop.monitoring.usage import counting as usage

BELL = "records"
MAX_LIMIT = 10_000
_encode = msgspec.json.Encoder().encode
_hits = msgspec.json.Decoder(tuple[Hit, ...])
_calls = msgspec.json.Decoder(tuple[ModelCalls, ...])
_IDS_AT_ONCE = 500
_TABLE = cast(Table, RequestRow.__table__)
_COLUMNS = (
    *("key", "request_id", "endpoint", "release", "arm", "rollout", "candidate_share", "subject", "started_us"),
    *("duration_ms", "status", "error_type", "http_status", "shielded", "abstained", "tokens_in", "tokens_out"),
    *("engine", "streamed", "shadow", "agreement", "hits", "cached", "api_key", "calls"),
)


def ingest(uow: UnitOfWork, records: Sequence[RequestRecord]) -> None:
    """Store records, and what models predicted in them; what is stored already stays as it is. Rings "records"."""
    if not records:
        return
    one_after_another(uow.session, RequestRow.__tablename__)
    usage.count(uow, _new(uow, records))
    insert_new(uow.session, _TABLE, _COLUMNS, [_values(record) for record in records], key="key")
    predictions.keep(uow, records)
    texts.keep(uow, records)
    uow.ring(BELL)


def since(
    uow: UnitOfWork, endpoint: str, rollout: str | None, after_seq: int = 0, limit: int = 1_000
) -> list[tuple[int, RequestRecord]]:
    """Records of an endpoint's rollout after a number, oldest first, each with its own number.

    Args:
        rollout: None for every record of the endpoint, whatever rollout it belongs to.
    """
    uow.by.require(Role.VIEWER)
    query = select(RequestRow).where(RequestRow.endpoint == endpoint, RequestRow.seq > after_seq)
    if rollout is not None:
        query = query.where(RequestRow.rollout == rollout)
    return _read(uow, query.order_by(RequestRow.seq), limit)


def newest(
    uow: UnitOfWork,
    *,
    endpoint: str | None = None,
    request_id: str | None = None,
    before_seq: int | None = None,
    limit: int = 100,
) -> list[tuple[int, RequestRecord]]:
    """The newest records first."""
    uow.by.require(Role.VIEWER)
    query = select(RequestRow).order_by(RequestRow.seq.desc())
    if endpoint is not None:
        query = query.where(RequestRow.endpoint == endpoint)
    if request_id is not None:
        query = query.where(RequestRow.request_id == request_id)
    if before_seq is not None:
        query = query.where(RequestRow.seq < before_seq)
    return _read(uow, query, limit)


def between(
    uow: UnitOfWork, endpoint: str, since: datetime, until: datetime, limit: int = 1_000
) -> list[RequestRecord]:
    """Records of an endpoint whose requests began in a time span that includes its start only, the newest first."""
    uow.by.require(Role.VIEWER)
    inside = (RequestRow.started_us >= microseconds(since), RequestRow.started_us < microseconds(until))
    query = select(RequestRow).where(RequestRow.endpoint == endpoint, *inside).order_by(RequestRow.started_us.desc())
    return [record for _seq, record in _read(uow, query, limit)]


def of_requests(uow: UnitOfWork, request_ids: Collection[str]) -> dict[str, RequestRecord]:
    """The record of the answer that callers got, by the id they saw; of an id that came twice the newest."""
    return {request_id: found[-1] for request_id, found in all_of_requests(uow, request_ids).items()}


def all_of_requests(uow: UnitOfWork, request_ids: Collection[str]) -> dict[str, list[RequestRecord]]:
    """The records of the answers that callers got, by the id they saw, oldest first: they may give an id twice."""
    uow.by.require(Role.VIEWER)
    wanted = list(request_ids)
    found: dict[str, list[RequestRecord]] = {}
    for at in range(0, len(wanted), _IDS_AT_ONCE):
        mine = RequestRow.request_id.in_(wanted[at : at + _IDS_AT_ONCE])
        query = select(RequestRow).where(mine, RequestRow.shadow.is_(False)).order_by(RequestRow.seq)
        for row in uow.session.scalars(query):
            found.setdefault(row.request_id, []).append(_record(row))
    return found


def counts(uow: UnitOfWork, since: datetime, until: datetime) -> dict[tuple[str, str], int]:
    """How many requests were answered in a time span, by endpoint and release; it includes its start only."""
    uow.by.require(Role.VIEWER)
    inside = (RequestRow.started_us >= microseconds(since), RequestRow.started_us < microseconds(until))
    # What no endpoint answered has no release.
    answered = (RequestRow.status == "ok", RequestRow.shadow.is_(False), RequestRow.release != "")
    query = select(RequestRow.endpoint, RequestRow.release, func.count()).where(*inside, *answered)
    found = uow.session.execute(query.group_by(RequestRow.endpoint, RequestRow.release))
    return {(endpoint, release): count for endpoint, release, count in found}


def _new(uow: UnitOfWork, records: Sequence[RequestRecord]) -> list[RequestRecord]:
    """Those that are not stored yet, each once: a spool that a crash left behind is stored again."""
    found = {each.key: each for each in reversed(records)}
    keys = list(found)
    for at in range(0, len(keys), _IDS_AT_ONCE):
        stored = select(RequestRow.key).where(RequestRow.key.in_(keys[at : at + _IDS_AT_ONCE]))
        for key in uow.session.scalars(stored):
            del found[key]
    return list(found.values())


def _read(uow: UnitOfWork, query: Select[RequestRow], limit: int) -> list[tuple[int, RequestRecord]]:
    rows = uow.session.scalars(query.limit(max(1, min(limit, MAX_LIMIT))))
    return [(row.seq, _record(row)) for row in rows]


def _values(record: RequestRecord) -> tuple[Any, ...]:
    """In the order of _COLUMNS."""
    return (
        record.key,
        record.request_id,
        record.endpoint,
        record.release,
        record.arm,
        record.rollout,
        record.candidate_share,
        record.subject,
        microseconds(record.started_at),
        record.duration_ms,
        record.status,
        record.error_type,
        record.http_status,
        record.shielded,
        record.abstained,
        record.tokens_in,
        record.tokens_out,
        record.engine,
        record.streamed,
        record.shadow,
        record.agreement,
        _encode(record.hits).decode() if record.hits else None,
        record.cached,
        record.api_key,
        _encode(record.calls).decode() if record.calls else None,
    )


def _record(row: RequestRow) -> RequestRecord:
    return RequestRecord(
        id="" if row.key == row.request_id else row.key,
        request_id=row.request_id,
        endpoint=row.endpoint,
        release=row.release,
        arm=cast(ArmName, row.arm),
        rollout=row.rollout,
        candidate_share=row.candidate_share,
        subject=row.subject,
        started_at=instant_of(row.started_us),
        duration_ms=row.duration_ms,
        status=cast(Status, row.status),
        error_type=row.error_type,
        http_status=row.http_status,
        shielded=row.shielded,
        abstained=row.abstained,
        tokens_in=row.tokens_in,
        tokens_out=row.tokens_out,
        engine=row.engine,
        streamed=row.streamed,
        shadow=row.shadow,
        agreement=row.agreement,
        hits=() if row.hits is None else _hits.decode(row.hits),
        cached=row.cached,
        api_key=row.api_key,
        calls=() if row.calls is None else _calls.decode(row.calls),
    )
