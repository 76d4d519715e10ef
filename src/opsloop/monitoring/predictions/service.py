"""Keep what models predicted, in the transaction that keeps the request's record, and read it back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec
from sqlalchemy import ColumnElement, SQLColumnExpression, Table, exists, func, or_, select
from sqlalchemy.orm import defer

from opsloop.core.caller import Role
from opsloop.core.db.many import insert_new
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.instants import instant_of, microseconds
from opsloop.monitoring.models import BESIDE, RequestRecord
from opsloop.monitoring.predictions._tables import PredictionRow
from opsloop.monitoring.predictions.models import Prediction

MAX_LIMIT = 100_000
_TABLE = cast(Table, PredictionRow.__table__)
_COLUMNS = (
    *("key", "request_id", "is_answer", "endpoint", "release", "started_us", "rows", "drift_score"),
    *("inputs", "predictions"),
)
_decode = msgspec.json.Decoder().decode


def keep(uow: UnitOfWork, records: Sequence[RequestRecord]) -> None:
    """Store the rows of records that have any; a record that came before stays as it is."""
    values = [_values(record) for record in records if record.rows > 0 and record.status == "ok"]
    if values:
        insert_new(uow.session, _TABLE, _COLUMNS, values, key="key")


def newest(
    uow: UnitOfWork,
    endpoint: str,
    *,
    release: str | None = None,
    since: datetime | None = None,
    before_seq: int | None = None,
    limit: int = 1_000,
) -> list[Prediction]:
    """The newest requests' rows first; answers only."""
    uow.by.require(Role.VIEWER)
    query = select(PredictionRow).where(PredictionRow.endpoint == endpoint, PredictionRow.is_answer.is_(True))
    if release is not None:
        query = query.where(PredictionRow.release == release)
    if since is not None:
        query = query.where(PredictionRow.started_us >= microseconds(since))
    if before_seq is not None:
        query = query.where(PredictionRow.seq < before_seq)
    found = uow.session.scalars(query.order_by(PredictionRow.seq.desc()).limit(max(1, min(limit, MAX_LIMIT))))
    return [as_prediction(row) for row in found]


def of_requests(uow: UnitOfWork, endpoint: str, ids: Collection[str]) -> list[Prediction]:
    """Answers under ids that callers have, or under those of their records; without the inputs, which are long."""
    mine = (PredictionRow.endpoint == endpoint, PredictionRow.is_answer.is_(True))
    query = select(PredictionRow).where(*mine).options(defer(PredictionRow.inputs, raiseload=True))
    found = {
        row.seq: row
        for column in (PredictionRow.request_id, PredictionRow.key)
        for row in uow.session.scalars(query.where(column.in_(ids)))
    }
    return [as_prediction(row, with_inputs=False) for row in found.values()]


def is_known(endpoint: SQLColumnExpression[str], request_id: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """The condition that an answer with an id, of its request or its record, is here; for a query of another table."""
    mine = (PredictionRow.endpoint == endpoint, PredictionRow.is_answer.is_(True))
    return or_(
        exists().where(*mine, PredictionRow.request_id == request_id),
        exists().where(*mine, PredictionRow.key == request_id),
    )


def inputs_of(uow: UnitOfWork, endpoint: str, keys: Collection[str]) -> dict[str, list[list[Any]]]:
    """The rows of requests by the key of their record."""
    query = select(PredictionRow.key, PredictionRow.inputs)
    query = query.where(PredictionRow.endpoint == endpoint, PredictionRow.key.in_(keys))
    return {key: _decoded(inputs) for key, inputs in uow.session.execute(query)}


def beside(uow: UnitOfWork, endpoint: str, request_ids: Collection[str]) -> dict[str, list[Any]]:
    """What attempts beside the answers predicted for requests, by the id that their caller has."""
    query = select(PredictionRow.request_id, PredictionRow.predictions).where(
        PredictionRow.endpoint == endpoint,
        PredictionRow.is_answer.is_(False),
        PredictionRow.request_id.in_(request_ids),
    )
    return {request_id: _decoded(kept) for request_id, kept in uow.session.execute(query)}


def count_rows(uow: UnitOfWork, endpoint: str, *, release: str | None = None, since: datetime | None = None) -> int:
    """How many rows were answered; those that are not kept any more are not counted."""
    query = select(func.sum(PredictionRow.rows))
    query = query.where(PredictionRow.endpoint == endpoint, PredictionRow.is_answer.is_(True))
    if release is not None:
        query = query.where(PredictionRow.release == release)
    if since is not None:
        query = query.where(PredictionRow.started_us >= microseconds(since))
    return int(uow.session.scalar(query) or 0)


def as_prediction(row: PredictionRow, *, with_inputs: bool = True) -> Prediction:
    return Prediction(
        seq=row.seq,
        key=row.key,
        request_id=row.request_id,
        endpoint=row.endpoint,
        release=row.release,
        started_at=instant_of(row.started_us),
        rows=row.rows,
        inputs=_decoded(row.inputs) if with_inputs else [],
        predictions=_decoded(row.predictions),
        drift_score=row.drift_score,
        is_answer=row.is_answer,
    )


def _values(record: RequestRecord) -> tuple[Any, ...]:
    """In the order of _COLUMNS."""
    is_answer = not record.request_id.endswith(BESIDE)
    return (
        record.key,
        record.request_id if is_answer else record.request_id.removesuffix(BESIDE),
        is_answer,
        record.endpoint,
        record.release,
        microseconds(record.started_at),
        record.rows,
        record.drift_score,
        _text(record.inputs),
        _text(record.predictions),
    )


def _text(raw: msgspec.Raw) -> str:
    # A lone surrogate or a torn character would make the whole batch unstorable.
    return bytes(raw).decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _decoded(text: str) -> list[Any]:
    """What stands in a stored text; nothing when a caller wrote what is no JSON after all."""
    try:
        return _decode(text) or []
    except msgspec.DecodeError:
        return []
