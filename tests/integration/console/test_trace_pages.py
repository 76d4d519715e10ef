"""`/traces` and the page of one trace: filters, links, long traces in parts, hostile text."""

from __future__ import annotations

from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.telemetry import storing
from opsloop.monitoring.telemetry.models import SpanContent, SpanEvent, SpanRecord
from tests.integration.console.conftest import ADMIN, Platform, browser

TRACE = "0af7651916cd43dd8448eb211c80319c"


def put(platform: Platform, *, spans: int = 4, request_id: str = "request-1") -> None:
    """A trace of a request to a flow that fails in its last node, with names as hostile as they come."""
    start_us = microseconds(platform.clock.now()) - 60_000_000
    ours = storing.resource_of({"service.name": "opsloop"})
    request = {"opsloop.endpoint": "support-chat", "opsloop.request_id": request_id}
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.input_tokens": 12}
    found = []
    for number in range(spans):
        is_last = number == spans - 1
        found.append(
            SpanRecord(
                TRACE,
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
    with platform.workspace.writing(ADMIN) as uow:
        storing.spans(uow, found)


def test_a_trace_is_found_and_leads_to_its_request(filled: Platform) -> None:
    put(filled)
    with browser(filled.workspace) as client:
        assert f"/traces/{TRACE}" in client.get("/traces?errors=true&endpoint=support-chat&slower=50").text
        assert "No trace matches" in client.get("/traces?service=nobody").text
        html = client.get(f"/traces/{TRACE}").text
        assert client.get("/go/request-1", follow_redirects=False).headers["location"] == f"/traces/{TRACE}"
    assert "Answered by" in html
    assert "tokens 36 in" in html
    assert f'id="{1:016x}"' in html
    assert "<script>alert" not in html
    assert "node &lt;b&gt;1" in html


def test_a_long_trace_comes_in_parts(filled: Platform) -> None:
    put(filled, spans=1_000)
    with browser(filled.workspace) as client:
        first = client.get(f"/traces/{TRACE}")
        second = client.get(f"/traces/{TRACE}?after=200").text
    assert "Spans 1 to 200 of 1,000" in first.text
    assert "Spans 201 to 400 of 1,000" in second
    assert f"/traces/{TRACE}?after=400" in second


def test_a_wrong_filter_is_told(filled: Platform) -> None:
    with browser(filled.workspace) as client:
        wrong = client.get("/traces?slower=much")
        missing = client.get("/traces/nothing")
    assert (wrong.status_code, missing.status_code) == (422, 404)
    assert "milliseconds" in wrong.text
