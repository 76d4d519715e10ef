"""Traces leave by OTLP when a collector is named, and cost nothing when none is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from opsloop.core.telemetry import tracing


class Collector(ThreadingHTTPServer):
    """Takes OTLP/HTTP traces in protobuf, as an OpenTelemetry collector does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.spans: list[str] = []
        self.services: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        assert self.path == "/v1/traces"
        request = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
        for resource in request.resource_spans:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.server.services.add(names["service.name"])
            self.server.spans += [span.name for scope in resource.scope_spans for span in scope.spans]
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_spans_reach_the_collector_that_is_named(collector: Collector) -> None:
    provider = tracing.configure(collector.url)
    assert provider is not None
    with provider.get_tracer("test").start_as_current_span("answer a question"):
        pass
    provider.shutdown()
    assert collector.spans == ["answer a question"]
    assert collector.services == {"opsloop"}


def test_without_a_collector_nothing_is_set_up() -> None:
    assert tracing.configure(None) is None
