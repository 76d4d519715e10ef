"""A trace of a request to a flow that fails in its last node, with names as hostile as they come."""

from __future__ import annotations

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.telemetry import storing
from opsloop.monitoring.telemetry.models import SpanContent, SpanEvent, SpanRecord


def put_trace(workspace: Workspace, by: Caller, trace_id: str, *, spans: int = 4, request_id: str = "request-1") -> str:
    """Returns the trace's id."""
    start_us = microseconds(workspace.clock.now()) - 60_000_000
    ours = storing.resource_of({"service.name": "opsloop"})
    request = {"opsloop.endpoint": "support-chat", "opsloop.request_id": request_id}
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.input_tokens": 12}
    found = []
    for number in range(spans):
        is_last = number == spans - 1
        found.append(
            SpanRecord(
                trace_id,
                f"{number + 1:016x}",
                f"{number:016x}" if 0 < number < 5 else None if number == 0 else f"{1:016x}",
                "POST /endpoints/{name}/invoke" if number == 0 else f"node <b>{number}</b>",
                "server" if number == 0 else "internal",
                ours,
                start_us + number * 20_000,
                80_000 if number == 0 else 20_000,
                "error" if is_last else "ok",
                SpanContent(
                    attributes=request if number == 0 else call,
                    events=(SpanEvent("exception", start_us + 70_000, {"exception.type": "ValueError"}),) * is_last,
                    message="<script>alert(1)</script>" if is_last else "",
                ),
            )
        )
    with workspace.writing(by) as uow:
        storing.spans(uow, found)
    return trace_id
