"""What leaves by OTLP: sent in batches, tried again, bounded and counted where no collector takes it."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from opsloop.core.telemetry import collecting
from opsloop.core.telemetry.collecting import CollectedSpan
from opsloop.core.telemetry.otlp import spans
from opsloop.core.telemetry.otlp.destination import Destination
from opsloop.core.telemetry.otlp.sender import Sender
from opsloop.core.telemetry.otlp.settings import Signal
from opsloop.core.telemetry.tracing import Tracing


class Collector(ThreadingHTTPServer):
    """Takes OTLP/HTTP traces in protobuf, and answers with the statuses it is given first."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.statuses: list[int] = []
        self.asked = 0
        self.spans: list[str] = []
        self.keys: set[str | None] = set()
        self.done = threading.Event()

    @property
    def to(self) -> Destination:
        url = f"http://127.0.0.1:{self.server_address[1]}/v1/traces"
        return Destination(Signal.TRACES, url, {"x-key": "secret"}, 10.0)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Collector)
        body = gzip.decompress(self.rfile.read(int(self.headers["content-length"])))
        server.asked += 1
        status = server.statuses.pop(0) if server.statuses else 200
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()
        server.keys.add(self.headers["x-key"])
        if status == 200:
            request = ExportTraceServiceRequest.FromString(body)
            server.spans += [span.name for span in request.resource_spans[0].scope_spans[0].spans]
            server.done.set()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ended(name: str) -> CollectedSpan:
    span = collecting.begin(name, collecting.parent_in(None), sampled=True)
    span.end()
    return span


def sender(to: Destination, lost: list[int], most: int = 8) -> Sender[CollectedSpan]:
    return Sender(to, spans.message, lost.append, most=most, delay_s=0.0)


def test_spans_reach_a_collector_that_is_busy_at_first(collector: Collector) -> None:
    lost: list[int] = []
    collector.statuses = [503]
    outgoing = sender(collector.to, lost)
    outgoing.start()
    outgoing.offer([ended("a"), ended("b")])
    assert collector.done.wait(60)
    outgoing.stop()
    assert (collector.spans, collector.asked, collector.keys, lost) == (["a", "b"], 2, {"secret"}, [])


def test_what_a_collector_refuses_is_not_sent_again_and_counted(collector: Collector) -> None:
    lost: list[int] = []
    collector.statuses = [400]
    outgoing = sender(collector.to, lost)
    outgoing.offer([ended("a")] * 3)
    outgoing.start()
    outgoing.stop()
    assert (collector.asked, lost) == (1, [3])


def test_a_collector_that_is_away_costs_no_more_than_a_bound() -> None:
    lost: list[int] = []
    outgoing = sender(Destination(Signal.TRACES, "http://127.0.0.1:9/v1/traces", {}, 1.0), lost, most=5)
    outgoing.offer([ended("x")] * 8)
    assert lost == [3]
    outgoing.start()
    outgoing.stop()
    assert sum(lost) == 8


def test_spans_outside_of_requests_leave_together_when_the_first_has_ended() -> None:
    left: list[list[str]] = []
    tracer = Tracing(lambda found: left.append([each.name for each in found])).get_tracer("mine")
    with tracer.start_as_current_span("run") as run, tracer.start_as_current_span("step", attributes={"n": 1}) as step:
        assert step.get_span_context().trace_id == run.get_span_context().trace_id
        assert left == []
    assert left == [["step", "run"]]


def test_where_nothing_leaves_nothing_is_recorded_but_within_a_request() -> None:
    tracer = Tracing(None).get_tracer("mine")
    assert not tracer.start_span("run").is_recording()
    root = collecting.begin("request", collecting.parent_in(None), sampled=True)
    with collecting.below(root, "node"), tracer.start_as_current_span("mine"):
        pass
    assert [each.name for each in root.collected.spans] == ["mine", "node"]
