"""`/traces` and the page of one trace: filters, links, long traces in parts, hostile text."""

from __future__ import annotations

from tests.integration.console.conftest import ADMIN, Platform, browser
from tests.integration.console.traced import put_trace

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_a_trace_is_found_and_leads_to_its_request(filled: Platform) -> None:
    put_trace(filled.workspace, ADMIN, TRACE)
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
    put_trace(filled.workspace, ADMIN, TRACE, spans=1_000)
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
