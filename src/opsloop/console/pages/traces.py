"""`/traces` and `/traces/{id}#span`: where the time of requests went, span by span."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request
from fastapi.responses import Response

from opsloop.console import words
from opsloop.console.page import Frame, Place, page
from opsloop.console.page_router import PageRouter
from opsloop.core.errors import InvalidInput
from opsloop.core.web.dependencies import Reading
from opsloop.feedback import service as feedback
from opsloop.monitoring import records
from opsloop.monitoring.telemetry import traces
from opsloop.monitoring.telemetry.waterfall import rows

router = PageRouter()
AT_ONCE = 50
SPANS = 200
"""Spans of a page; a longer trace has several, so that a browser need not draw thousands at once."""
NARROWEST = 0.005
Filter = Annotated[str, Query(max_length=300)]


@router.get("/traces")
def listed(
    request: Request,
    uow: Reading,
    q: Filter = "",
    endpoint: Filter = "",
    service: Filter = "",
    request_id: Filter = "",
    errors: bool = False,
    slower: Annotated[str, Query(max_length=20)] = "",
    before: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    found = traces.listed(
        uow,
        q=q,
        endpoint=endpoint,
        service=service,
        request_id=request_id,
        errors_only=errors,
        min_duration_ms=_milliseconds(slower),
        before=before,
        limit=AT_ONCE,
    )
    given = {"q": q, "endpoint": endpoint, "service": service, "request_id": request_id, "slower": slower}
    kept = {name: value for name, value in given.items() if value} | ({"errors": "true"} if errors else {})
    older = None
    if len(found) == AT_ONCE:
        older = "/traces?" + urlencode({**kept, "before": traces.cursor_of(uow, found[-1])})
    options = {"q": "-q", "service": "--service", "request_id": "--request", "slower": "--slower-than"}
    cli = [
        "opsloop monitor traces",
        endpoint,
        *(f"{option} {given[name]}" for name, option in options.items() if given[name]),
    ]
    frame = Frame("Traces", cli=" ".join([*filter(None, cli), *(["--errors"] if errors else [])]), json="/api/traces")
    now = uow.clock.now()
    return page(
        request, "traces.html", frame, traces=found, given=given, errors=errors, kept=kept, older=older, now=now
    )


@router.get("/traces/{id}")
def shown(request: Request, uow: Reading, id: str, after: Annotated[int, Query(ge=0, le=1_000_000)] = 0) -> Response:
    found = traces.get(uow, id, after=after, limit=SPANS)
    line = found.line
    at = f"/traces/{words.segment(line.trace_id)}"
    drawn = [
        (row, 100 * min(row.left, 1 - NARROWEST), 100 * max(row.width, NARROWEST))
        for row in rows(found.spans, line.duration_ms)
    ]
    frame = Frame(
        line.name,
        trail=(Place("Traces", "/traces"),),
        cli=f"opsloop monitor trace {line.trace_id}",
        json=f"/api{at}",
    )
    id_asked = line.request_id
    return page(
        request,
        "trace.html",
        frame,
        trace=found,
        line=line,
        rows=drawn,
        at=at,
        after=after,
        size=SPANS,
        records=[each for _, each in records.newest(uow, request_id=id_asked, limit=5)] if id_asked else [],
        feedback=feedback.newest(uow, request_id=id_asked, before_seq=None, limit=5) if id_asked else [],
        now=uow.clock.now(),
    )


def _milliseconds(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1e9:
        raise InvalidInput(field="slower", value=text, wanted="milliseconds, a number from 0")
    return found
