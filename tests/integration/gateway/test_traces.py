"""Traces of requests: collected in memory, kept when sampled, failed or slow, and sent on."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from opsloop.core.caller import Caller
from opsloop.core.telemetry import collecting
from opsloop.core.workspace import Workspace
from opsloop.monitoring.telemetry import traces
from opsloop.monitoring.telemetry.models import Trace
from tests.integration.gateway.world import ECHO, FAILS, OPERATOR, Live, Shop

Start = Callable[[], Live]
TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TELLS = """
def answer(question: str, chat_history: list) -> dict:
    from opsloop.core.telemetry import collecting

    return {"answer": collecting.headers()["traceparent"], "citations": [], "abstained": False}
"""


def ask(http: httpx.Client, running: Live, **headers: str) -> httpx.Response:
    body = {"inputs": {"question": "hi"}}
    return http.post(f"{running.url}/endpoints/chat/invoke", json=body, headers=headers)


def kept(workspace: Workspace, by: Caller = OPERATOR) -> list[Trace]:
    with workspace.reading(by) as uow:
        return [traces.get(uow, each.trace_id) for each in traces.listed(uow)]


def test_a_request_is_a_trace_of_its_flow_and_nodes(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(ECHO)
    running = live()
    request_id = ask(http, running).json()["request_id"]
    running.drain()
    (found,) = kept(shop.workspace)
    assert (found.line.endpoint, found.line.request_id, found.line.errors) == ("chat", request_id, 0)
    request, flow, node = found.spans
    assert request.name == "POST /endpoints/{name}/invoke"
    assert (request.parent_id, flow.parent_id, node.parent_id) == (None, request.span_id, flow.span_id)
    assert node.name == "node answer"
    assert request.attributes["http.response.status_code"] == 200
    assert "hi" not in str(found)


def test_the_caller_s_trace_goes_on(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(TELLS)
    running = live()
    told = ask(http, running, traceparent=f"00-{TRACE}-{CALLER}-01").json()["outputs"]["answer"]
    ask(http, running, traceparent=f"00-{TRACE[::-1]}-{CALLER}-00")
    running.drain()
    (found,) = kept(shop.workspace)
    assert (found.line.trace_id, found.spans[0].parent_id) == (TRACE, CALLER)
    assert told == f"00-{TRACE}-{found.spans[-1].span_id}-01"


@pytest.mark.parametrize(("code", "errors"), [(ECHO, []), (FAILS, [3])])
def test_only_failed_requests_are_kept_when_none_is_sampled(
    shop: Shop, live: Start, http: httpx.Client, monkeypatch: pytest.MonkeyPatch, code: str, errors: list[int]
) -> None:
    monkeypatch.setenv("OPSLOOP_TRACES_SAMPLE_SHARE", "0")
    shop.release(code)
    running = live()
    ask(http, running)
    running.drain()
    assert [each.line.errors for each in kept(shop.workspace)] == errors


def test_headers_that_are_no_traceparent_are_as_none() -> None:
    good = f"00-{TRACE}-{CALLER}-01"
    assert collecting.parent_in(good).span_id == int(CALLER, 16)
    assert collecting.parent_in(f"01-{TRACE}-{CALLER}-01-more").is_valid
    for bad in (None, "", f"ff-{good[3:]}", f"{good}-x", good.upper(), f"00-{'0' * 32}-{CALLER}-01", "00-é-1-1"):
        assert not collecting.parent_in(bad).is_valid


def test_what_many_spans_cost_is_bounded() -> None:
    root = collecting.begin("request", collecting.parent_in(None), sampled=True)
    for _ in range(collecting.MOST_SPANS + 5):
        with collecting.below(root, "x"):
            pass
    assert (len(root.collected.spans), root.collected.dropped) == (collecting.MOST_SPANS, 5)
