"""Traces of requests: collected in memory, kept when sampled, failed or slow, and sent on."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from opsloop.core.caller import Caller
from opsloop.core.telemetry import collecting
from opsloop.core.workspace import Workspace
from opsloop.monitoring.telemetry import traces
from opsloop.monitoring.telemetry.models import SpanContent, SpanRecord, Trace
from opsloop.monitoring.telemetry.otlp.rejecting import Rejected
from opsloop.monitoring.telemetry.otlp.spans import records
from opsloop.monitoring.telemetry.outgoing import MOST_BATCHES, Outgoing, message
from opsloop.monitoring.telemetry.settings import TelemetrySettings
from opsloop.monitoring.telemetry.storing import resource_of
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


class _Collector(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        server = self.server
        assert isinstance(server, _Receiving)
        server.asked += 1
        self.send_response(503 if server.asked == 1 else 200)
        self.send_header("content-length", "0")
        self.end_headers()
        if server.asked > 1:
            request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
            server.names += [each.name for each in request.resource_spans[0].scope_spans[0].spans]
            server.key = self.headers["x-key"]
            server.done.set()

    def log_message(self, *_: object) -> None:
        pass


class _Receiving(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Collector)
        self.asked = 0
        self.names: list[str] = []
        self.key = ""
        self.done = threading.Event()


def test_spans_go_on_to_a_collector_that_is_busy_at_first() -> None:
    resource = resource_of({"service.name": "opsloop"})
    content = SpanContent(attributes={"a": [1, "x", 0.5, True]})
    one = SpanRecord(TRACE, CALLER, None, "node answer", "internal", resource, 1_000, 5, "error", content)
    with _Receiving() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        settings = TelemetrySettings(otlp_headers="x-key=secret")
        outgoing = Outgoing(f"http://127.0.0.1:{server.server_address[1]}/", settings)
        outgoing.start()
        outgoing.offer([one])
        assert server.done.wait(30)
        outgoing.stop()
        server.shutdown()
        thread.join()
    assert (server.names, server.asked, server.key, outgoing.lost) == (["node answer"], 2, "secret", 0)


def test_a_collector_that_is_away_costs_no_more_than_a_bound() -> None:
    outgoing = Outgoing("http://127.0.0.1:9", TelemetrySettings())
    one = SpanRecord(TRACE, CALLER, None, "x", "internal", resource_of({}), 1, 1, "ok", SpanContent())
    for _ in range(MOST_BATCHES + 3):
        outgoing.offer([one])
    assert outgoing.lost == 3
    outgoing.start()
    outgoing.stop()


def test_what_is_sent_is_read_by_our_own_receiver_as_it_was() -> None:
    content = SpanContent(attributes={"a": 1, "b": ["x"]}, scope="opsloop", message="no")
    resource = resource_of({"service.name": "opsloop"})
    one = SpanRecord(TRACE, CALLER, "00f067aa0ba902b7", "x", "client", resource, 1_000, 5, "error", content)
    assert records(message([one]), Rejected()) == [one]
