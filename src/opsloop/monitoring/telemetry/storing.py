"""Store telemetry: what is there already stays as it is, so that a sender may send the same again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, cast

import msgspec
from sqlalchemy import Executable, Table, case, func, update
from sqlalchemy.dialects import postgresql, sqlite

from opsloop.core.db.many import insert_new
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.telemetry._tables import LogRow, PointRow, ResourceRow, SeriesRow, TraceRow
from opsloop.monitoring.telemetry.models import LogRecord, Point, Resource, Series, SpanRecord

ROWS_AT_ONCE = 100
SEEN_EVERY_US = 3_600_000_000
"""How often it is noted that a resource or series is still there."""
_SPAN_COLUMNS = (
    *("trace_id", "span_id", "parent_id", "name", "kind", "service", "resource"),
    *("started_us", "duration_us", "status", "content"),
)
_LOG_COLUMNS = (
    *("at_us", "service", "resource", "severity", "severity_text", "trace_id", "span_id", "body"),
    "attributes",
)
_encode = msgspec.json.Encoder().encode
Summary = dict[str, Any]


def text_of(value: object) -> str:
    """JSON text for a column."""
    return _encode(value).decode()


def id_of(*parts: object) -> str:
    """A short name of some content: 128 bits of its SHA-256."""
    return hashlib.sha256(_encode(parts)).hexdigest()[:32]


def resource_of(attributes: Mapping[str, Any]) -> Resource:
    """Args: attributes: of what sent; without `service.name` it is called `unknown_service`, as OpenTelemetry does."""
    service = attributes.get("service.name")
    named = service if isinstance(service, str) and service else "unknown_service"
    return Resource(id_of(sorted(attributes.items())), named[:255], dict(attributes))


def spans(uow: UnitOfWork, records: Sequence[SpanRecord]) -> int:
    """Store spans and bring the traces they belong to up to date; returns how many were new."""
    if not records:
        return 0
    # Writers of the same traces wait for each other in one order, else two could wait for one another for ever.
    ordered = sorted(records, key=lambda each: each.trace_id)
    _keep_resources(uow, {each.resource.id: each.resource for each in ordered}.values())
    inserted = _insert_spans(uow, ordered)
    new = []
    for each in ordered:
        key = (each.trace_id, each.span_id)
        if key in inserted:
            inserted.discard(key)
            new.append(each)
    _sum_up(uow, new)
    return len(new)


def _insert_spans(uow: UnitOfWork, records: Sequence[SpanRecord]) -> set[tuple[str, str]]:
    connection = uow.session.connection()
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    row = f"({', '.join([mark] * len(_SPAN_COLUMNS))})"
    inserted: set[tuple[str, str]] = set()
    for at in range(0, len(records), ROWS_AT_ONCE):
        values = [_span_values(each) for each in records[at : at + ROWS_AT_ONCE]]
        # Names of ours; what senders say goes in as parameters.
        statement = (
            f"INSERT INTO spans ({', '.join(_SPAN_COLUMNS)}) VALUES {', '.join([row] * len(values))} "  # noqa: S608
            "ON CONFLICT (trace_id, span_id) DO NOTHING RETURNING trace_id, span_id"
        )
        found = connection.exec_driver_sql(statement, tuple(chain.from_iterable(values)))
        inserted.update((trace_id, span_id) for trace_id, span_id in found)
    return inserted


def _span_values(each: SpanRecord) -> tuple[Any, ...]:
    return (
        each.trace_id,
        each.span_id,
        each.parent_id,
        each.name,
        each.kind,
        each.resource.service,
        each.resource.id,
        each.started_us,
        each.duration_us,
        each.status,
        text_of(each.content),
    )


def _sum_up(uow: UnitOfWork, records: Sequence[SpanRecord]) -> None:
    found: dict[str, Summary] = {}
    for each in records:
        _add(found, each)
    if not found:
        return
    statement = _summing(is_sqlite=uow.workspace.database.is_sqlite)
    uow.session.connection().execute(statement, list(found.values()))


@cache
def _summing(*, is_sqlite: bool) -> Executable:
    """Made once: it is long, and a batch of traces comes twice a second."""
    table = cast(Table, TraceRow.__table__)
    new = (sqlite.insert if is_sqlite else postgresql.insert)(table)
    old, sent = table.c, new.excluded
    return new.on_conflict_do_update(
        index_elements=["trace_id"],
        set_={
            "started_us": case((sent.started_us < old.started_us, sent.started_us), else_=old.started_us),
            "ended_us": case((sent.ended_us > old.ended_us, sent.ended_us), else_=old.ended_us),
            **{name: _of_root(old[name], sent[name], old, sent) for name in ("name", "service")},
            "root": func.coalesce(old.root, sent.root),
            **{name: func.coalesce(old[name], sent[name]) for name in ("endpoint", "release", "request_id")},
            **{name: old[name] + sent[name] for name in ("spans", "errors", "tokens_in", "tokens_out")},
        },
    )


def _of_root(old: Any, sent: Any, olds: Any, sents: Any) -> Any:
    """The name of a trace is that of its root, until that has come that of the span that began first."""
    is_better = (sents.root.is_not(None)) | (olds.root.is_(None) & (sents.started_us < olds.started_us))
    return case((olds.root.is_not(None), old), (is_better, sent), else_=old)


def _add(found: dict[str, Summary], each: SpanRecord) -> None:
    attributes = each.content.attributes
    ended_us = each.started_us + each.duration_us
    is_root = each.parent_id is None
    # A model's call says what it used; spans around it repeat that as a sum.
    is_call = "gen_ai.operation.name" in attributes
    tokens = [_count(attributes.get(f"gen_ai.usage.{way}_tokens")) if is_call else 0 for way in ("input", "output")]
    named = {
        "endpoint": _word(attributes.get("opsloop.endpoint")),
        "release": _word(attributes.get("opsloop.release")),
        "request_id": _word(attributes.get("opsloop.request_id")),
    }
    summary = found.get(each.trace_id)
    if summary is None:
        found[each.trace_id] = {
            "trace_id": each.trace_id,
            "started_us": each.started_us,
            "ended_us": ended_us,
            "root": each.span_id if is_root else None,
            "name": each.name,
            "service": each.resource.service,
            **named,
            "spans": 1,
            "errors": int(each.status == "error"),
            "tokens_in": tokens[0],
            "tokens_out": tokens[1],
        }
        return
    if summary["root"] is None and (is_root or each.started_us < summary["started_us"]):
        summary["name"], summary["service"] = each.name, each.resource.service
        summary["root"] = each.span_id if is_root else None
    summary["started_us"] = min(summary["started_us"], each.started_us)
    summary["ended_us"] = max(summary["ended_us"], ended_us)
    for name, value in named.items():
        summary[name] = summary[name] or value
    summary["spans"] += 1
    summary["errors"] += each.status == "error"
    summary["tokens_in"] += tokens[0]
    summary["tokens_out"] += tokens[1]


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40 else 0


def _word(value: object) -> str | None:
    return value[:255] if isinstance(value, str) and value else None


def logs(uow: UnitOfWork, records: Sequence[LogRecord]) -> None:
    """Store log records, in the order in which they came."""
    _keep_resources(uow, {each.resource.id: each.resource for each in records}.values())
    rows = [
        (
            each.at_us,
            each.resource.service,
            each.resource.id,
            each.severity,
            each.severity_text,
            each.trace_id,
            each.span_id,
            each.body,
            text_of(each.attributes),
        )
        for each in records
    ]
    insert_new(uow.session, cast(Table, LogRow.__table__), _LOG_COLUMNS, rows)


def points(uow: UnitOfWork, found: Sequence[Point]) -> None:
    """Store points of metrics; one of a series and moment that is there already stays as it is."""
    ordered = sorted(found, key=lambda each: (each.series.id, each.at_us))
    _keep_resources(uow, {each.series.resource.id: each.series.resource for each in ordered}.values())
    _keep_series(uow, {each.series.id: each.series for each in ordered}.values())
    rows = {
        (each.series.id, each.at_us): {
            "series": each.series.id,
            "at_us": each.at_us,
            "value": each.value,
            "count": each.count,
            "content": None if each.content is None else text_of(each.content),
        }
        for each in ordered
    }
    _insert(uow, PointRow, list(rows.values()))


def _keep_resources(uow: UnitOfWork, found: Iterable[Resource]) -> None:
    now_us = microseconds(uow.clock.now())
    rows = [
        {"id": each.id, "service": each.service, "attributes": text_of(each.attributes), "seen_us": now_us}
        for each in sorted(found, key=lambda each: each.id)
    ]
    _insert(uow, ResourceRow, rows)
    _seen(uow, ResourceRow, [row["id"] for row in rows], now_us)


def _keep_series(uow: UnitOfWork, found: Iterable[Series]) -> None:
    now_us = microseconds(uow.clock.now())
    rows = [
        {
            "id": each.id,
            "service": each.resource.service,
            "resource": each.resource.id,
            "name": each.name,
            "unit": each.unit,
            "kind": each.kind,
            "description": each.description,
            "attributes": text_of(each.attributes),
            "seen_us": now_us,
        }
        for each in found
    ]
    _insert(uow, SeriesRow, rows)
    _seen(uow, SeriesRow, [row["id"] for row in rows], now_us)


def _insert(uow: UnitOfWork, row: Any, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    insert = sqlite.insert if uow.workspace.database.is_sqlite else postgresql.insert
    uow.session.execute(insert(row).on_conflict_do_nothing(), rows)


def _seen(uow: UnitOfWork, row: Any, ids: Sequence[Any], now_us: int) -> None:
    for at in range(0, len(ids), ROWS_AT_ONCE):
        part = ids[at : at + ROWS_AT_ONCE]
        uow.session.execute(
            update(row).where(row.id.in_(part), row.seen_us < now_us - SEEN_EVERY_US).values(seen_us=now_us)
        )
