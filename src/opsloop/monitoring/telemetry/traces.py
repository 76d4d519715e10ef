"""Read traces: a list by filters, and one with its spans."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Select, func, or_, select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.instants import instant_of
from opsloop.monitoring.telemetry._tables import ResourceRow, SpanRow, TraceRow
from opsloop.monitoring.telemetry.models import Span, SpanContent, Trace, TraceLine

SPANS_AT_ONCE = 1_000
_CURSOR = re.compile(r"(\d{1,18})\.([0-9a-f]{32})")
_content = msgspec.json.Decoder(SpanContent)


class TraceMissing(NotFound):
    template = "no trace {name!r}; traces are kept for a time, see OPSLOOP_TRACES_KEPT_DAYS"


def listed(
    uow: UnitOfWork,
    *,
    endpoint: str | None = None,
    service: str | None = None,
    request_id: str | None = None,
    errors_only: bool = False,
    min_duration_ms: float | None = None,
    since_us: int | None = None,
    until_us: int | None = None,
    q: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> list[TraceLine]:
    """The newest traces first.

    Args:
        service: traces in which it took part.
        q: a part of a name, of a service, or the begin of an id.
        before: `cursor_of` the last trace of the page before.
    Raises: InvalidInput.
    """
    uow.by.require(Role.VIEWER)
    query = select(TraceRow).order_by(TraceRow.started_us.desc(), TraceRow.trace_id.desc()).limit(limit)
    if endpoint:
        query = query.where(TraceRow.endpoint == endpoint)
    if service:
        took_part = select(SpanRow.seq).where(SpanRow.trace_id == TraceRow.trace_id, SpanRow.service == service)
        query = query.where(took_part.exists())
    if request_id:
        query = query.where(TraceRow.request_id == request_id)
    if errors_only:
        query = query.where(TraceRow.errors > 0)
    if min_duration_ms is not None:
        query = query.where(TraceRow.ended_us - TraceRow.started_us >= round(min_duration_ms * 1000))
    if since_us is not None:
        query = query.where(TraceRow.started_us >= since_us)
    if until_us is not None:
        query = query.where(TraceRow.started_us < until_us)
    if q:
        query = query.where(_matches(q.strip()))
    if before:
        query = _after_cursor(query, before)
    return [_line(row) for row in uow.session.scalars(query)]


def cursor_of(uow: UnitOfWork, line: TraceLine) -> str:
    """Where the page after this trace begins."""
    row = uow.session.get_one(TraceRow, line.trace_id)
    return f"{row.started_us}.{row.trace_id}"


def _after_cursor(query: Select[TraceRow], cursor: str) -> Select[TraceRow]:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise InvalidInput(field="before", value=cursor, wanted="`next` of the page before")
    started_us, trace_id = int(found[1]), found[2]
    is_older = TraceRow.started_us < started_us
    return query.where(or_(is_older, (TraceRow.started_us == started_us) & (TraceRow.trace_id < trace_id)))


def _matches(q: str) -> Any:
    part = "%" + q.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    columns = (TraceRow.name, TraceRow.service, TraceRow.request_id)
    texts = [func.lower(column).like(part, escape="\\") for column in columns]
    return or_(*texts, TraceRow.trace_id.startswith(q.lower(), autoescape=True))


def of_request(uow: UnitOfWork, request_id: str) -> TraceLine | None:
    """The newest trace of a request."""
    found = listed(uow, request_id=request_id, limit=1)
    return found[0] if found else None


def get(uow: UnitOfWork, id: str, *, after: int = 0, limit: int = SPANS_AT_ONCE) -> Trace:
    """One trace, by its id or the id of its request. Args: after: spans to leave out, from the first.

    Raises: TraceMissing.
    """
    uow.by.require(Role.VIEWER)
    row = uow.session.get(TraceRow, id.lower())
    if row is None:
        query = select(TraceRow).where(TraceRow.request_id == id).order_by(TraceRow.started_us.desc()).limit(1)
        row = uow.session.scalar(query)
    if row is None:
        raise TraceMissing(noun="trace", name=id)
    ordered = select(SpanRow).where(SpanRow.trace_id == row.trace_id).order_by(SpanRow.started_us, SpanRow.seq)
    found = uow.session.scalars(ordered.offset(after).limit(limit + 1)).all()
    spans = tuple(_span(each, row.started_us) for each in found[:limit])
    resources = _resources(uow, {each.resource for each in spans})
    return Trace(_line(row), spans, resources, after + limit if len(found) > limit else None)


def _resources(uow: UnitOfWork, ids: set[str]) -> Mapping[str, Mapping[str, Any]]:
    rows: Sequence[ResourceRow] = uow.session.scalars(select(ResourceRow).where(ResourceRow.id.in_(ids))).all()
    return {row.id: msgspec.json.decode(row.attributes) for row in rows}


def _span(row: SpanRow, started_us: int) -> Span:
    content = _content.decode(row.content)
    events = [(each, (each.at_us - row.started_us) / 1000) for each in content.events]
    return Span(
        span_id=row.span_id,
        parent_id=row.parent_id,
        name=row.name,
        kind=row.kind,
        service=row.service,
        start_ms=(row.started_us - started_us) / 1000,
        duration_ms=row.duration_us / 1000,
        status=row.status,
        attributes=content.attributes,
        events=tuple({"name": each.name, "after_ms": at, "attributes": each.attributes} for each, at in events),
        links=tuple(msgspec.to_builtins(each) for each in content.links),
        scope=content.scope,
        message=content.message,
        dropped=content.dropped,
        resource=row.resource,
    )


def _line(row: TraceRow) -> TraceLine:
    return TraceLine(
        trace_id=row.trace_id,
        started_at=instant_of(row.started_us),
        duration_ms=(row.ended_us - row.started_us) / 1000,
        name=row.name,
        service=row.service,
        endpoint=row.endpoint,
        release=row.release,
        request_id=row.request_id,
        root=row.root,
        spans=row.spans,
        errors=row.errors,
        tokens_in=row.tokens_in,
        tokens_out=row.tokens_out,
    )
