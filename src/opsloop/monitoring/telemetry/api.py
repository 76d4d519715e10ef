"""HTTP: traces."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import AwareDatetime

from opsloop.core.web.dependencies import Reading
from opsloop.core.web.router import Router
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.telemetry import traces
from opsloop.monitoring.telemetry.models import Trace

router = Router(prefix="/api/traces", tags=["telemetry"])
Filter = Annotated[str | None, Query(max_length=300)]


@router.get("")
def listed(
    uow: Reading,
    endpoint: Filter = None,
    service: Annotated[str | None, Query(max_length=300, description="took part in the trace")] = None,
    request_id: Filter = None,
    errors_only: bool = False,
    min_duration_ms: Annotated[float | None, Query(ge=0, le=1e9)] = None,
    since: Annotated[
        AwareDatetime | None, Query(alias="from", description="an instant such as 2026-05-01T00:00:00Z")
    ] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    q: Annotated[str | None, Query(max_length=300, description="part of a name, or the begin of an id")] = None,
    before: Annotated[str | None, Query(max_length=60, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """Traces, newest first."""
    found = traces.listed(
        uow,
        endpoint=endpoint,
        service=service,
        request_id=request_id,
        errors_only=errors_only,
        min_duration_ms=min_duration_ms,
        since_us=_us(since),
        until_us=_us(until),
        q=q,
        before=before,
        limit=limit,
    )
    return {"items": found, "next": traces.cursor_of(uow, found[-1]) if len(found) == limit else None}


@router.get("/{id}")
def get(
    uow: Reading,
    id: str,
    after: Annotated[int, Query(ge=0, le=1_000_000, description="`next` of the part before")] = 0,
    limit: Annotated[int, Query(ge=1, le=5_000)] = traces.SPANS_AT_ONCE,
) -> Trace:
    """A trace with its spans in the order of their start, by its id or that of its request."""
    return traces.get(uow, id, after=after, limit=limit)


def _us(instant: datetime | None) -> int | None:
    return None if instant is None else microseconds(instant)
