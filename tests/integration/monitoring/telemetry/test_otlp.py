from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from sqlalchemy import text
from starlette.types import Receive, Scope, Send

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from opsloop.monitoring.telemetry import pruning
from opsloop.monitoring.telemetry.api import router as traces
from opsloop.monitoring.telemetry.otlp.api import router as telemetry

TRACE, ROOT, CHILD = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
PROTOBUF = {"content-type": "application/x-protobuf"}
START_NS = 1_767_225_600_000_000_000  # 2026-01-01


@pytest.fixture
def call(workspace: Workspace, admin: Caller) -> Iterator[httpx.Client]:
    from fastapi.testclient import TestClient

    app = FastAPI()
    app.state.workspace = workspace
    app.router.routes.extend(telemetry.routes)
    app.router.routes.extend(traces.routes)

    async def authenticated(scope: Scope, receive: Receive, send: Send) -> None:
        scope["opsloop.caller"] = admin
        await app(scope, receive, send)

    with TestClient(authenticated) as client:
        yield client  # type: ignore[misc]


def span(id: str = ROOT, parent: str | None = None, **more: Any) -> dict[str, Any]:
    found = {"traceId": TRACE, "spanId": id, "name": f"span {id[:2]}", "kind": 2, **more}
    found.setdefault("startTimeUnixNano", str(START_NS))
    found.setdefault("endTimeUnixNano", str(START_NS + 5_000_000))
    return found | ({"parentSpanId": parent} if parent else {})


def sent(*spans: dict[str, Any], service: str = "shop") -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "x"}, "spans": list(spans)}]}]}


def as_protobuf(*ids: str) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    of_resource = request.resource_spans.add()
    attribute = of_resource.resource.attributes.add(key="service.name")
    attribute.value.string_value = "shop"
    scope = of_resource.scope_spans.add()
    for each in ids:
        added = scope.spans.add(trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(each), name="call", kind=3)
        added.start_time_unix_nano, added.end_time_unix_nano = START_NS, START_NS + 2_000_000
        added.attributes.add(key="gen_ai.operation.name").value.string_value = "chat"
        added.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 7
    return request


def test_spans_in_json_are_stored_and_read_as_one_trace(call: httpx.Client) -> None:
    tag = [{"key": "http.response.status_code", "value": {"intValue": "503"}}]
    late = span(CHILD, ROOT, status={"code": 2, "message": "no"}, attributes=tag)
    late |= {"startTimeUnixNano": str(START_NS + 1_000_000), "endTimeUnixNano": str(START_NS + 9_000_000)}
    assert call.post("/v1/traces", json=sent(late, service="stock")).json() == {}
    assert call.post("/v1/traces", json=sent(span())).status_code == 200

    found = call.get(f"/api/traces/{TRACE}").json()
    assert (found["line"]["service"], found["line"]["name"], found["line"]["root"]) == ("shop", "span b7", ROOT)
    assert (found["line"]["spans"], found["line"]["errors"], found["line"]["duration_ms"]) == (2, 1, 9.0)
    assert [(each["span_id"], each["start_ms"], each["duration_ms"]) for each in found["spans"]] == [
        (ROOT, 0.0, 5.0),
        (CHILD, 1.0, 8.0),
    ]
    assert found["spans"][1]["attributes"] == {"http.response.status_code": 503}
    assert found["spans"][1]["message"] == "no"
    assert {each["service.name"] for each in found["resources"].values()} == {"shop", "stock"}


def test_protobuf_that_is_gzipped_is_answered_in_protobuf(call: httpx.Client) -> None:
    body = gzip.compress(as_protobuf(ROOT, CHILD).SerializeToString())
    answer = call.post("/v1/traces", content=body, headers={**PROTOBUF, "content-encoding": "gzip"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-protobuf")
    assert not ExportTraceServiceResponse.FromString(answer.content).HasField("partial_success")
    assert call.get("/api/traces").json()["items"][0]["tokens_in"] == 14


def test_spans_that_are_sent_again_are_not_counted_again(call: httpx.Client) -> None:
    for ids in ((ROOT,), (ROOT, CHILD, CHILD), (ROOT, CHILD)):
        call.post("/v1/traces", content=as_protobuf(*ids).SerializeToString(), headers=PROTOBUF)
    line = call.get("/api/traces").json()["items"][0]
    assert (line["spans"], line["tokens_in"]) == (2, 14)


def test_spans_that_cannot_be_stored_are_told_as_partial_success(call: httpx.Client) -> None:
    good, short, timeless = span(), span(CHILD, traceId="0af7"), span("00f067aa0ba902b8", startTimeUnixNano="0")
    answer = call.post("/v1/traces", json=sent(good, short, timeless))
    assert answer.status_code == 200
    told = answer.json()["partialSuccess"]
    assert told["rejectedSpans"] == "2"
    assert "trace_id has 2 bytes; wanted 16" in told["errorMessage"]
    assert call.get("/api/traces").json()["items"][0]["spans"] == 1


@pytest.mark.parametrize(
    ("content", "headers", "status", "said"),
    [
        (b"\xff\xff\xff", PROTOBUF, 400, b"not a protobuf ExportTraceServiceRequest"),
        (b"{", {"content-type": "application/json"}, 400, b"not OTLP in JSON"),
        (b'{"resourceSpans": 3}', {"content-type": "application/json"}, 400, b"not OTLP in JSON"),
        (b"[" * 5_000 + b"]" * 5_000, {"content-type": "application/json"}, 400, b"body: "),
        (b'{"a":' * 100 + b"1" + b"}" * 100, {"content-type": "application/json"}, 400, b"nested over"),
        (b"no gzip at all", {**PROTOBUF, "content-encoding": "gzip"}, 400, b"not gzip"),
        (b"x", {**PROTOBUF, "content-encoding": "br"}, 400, b"wanted gzip or none"),
        (b"x", {"content-type": "text/plain"}, 415, b"content-type"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_status_in_the_request_s_encoding(
    call: httpx.Client, content: bytes, headers: dict[str, str], status: int, said: bytes
) -> None:
    answer = call.post("/v1/traces", content=content, headers=headers)
    assert answer.status_code == status
    assert said in answer.content
    if headers["content-type"] == "application/json":
        assert answer.json()["code"] == 3
    else:
        assert answer.content[:3] == b"\x08\x03\x12"
        assert answer.headers["content-type"] == "application/x-protobuf"


def test_a_bomb_of_gzip_is_not_unpacked(call: httpx.Client) -> None:
    body = gzip.compress(bytes(40_000_000))
    answer = call.post("/v1/traces", content=body, headers={**PROTOBUF, "content-encoding": "gzip"})
    assert answer.status_code == 413


def test_attributes_are_kept_within_limits(call: httpx.Client) -> None:
    many = [{"key": f"k{number}", "value": {"stringValue": "v" * 10_000 + "\0"}} for number in range(200)]
    deep: dict[str, Any] = {"stringValue": "end"}
    for _ in range(9):
        deep = {"arrayValue": {"values": [deep]}}
    call.post("/v1/traces", json=sent(span(attributes=[{"key": "deep", "value": deep}, *many])))
    found = call.get(f"/api/traces/{TRACE}").json()["spans"][0]
    assert (len(found["attributes"]), found["dropped"]) == (128, 73)
    assert found["attributes"]["deep"] == [[[[["…"]]]]]
    assert len(found["attributes"]["k0"]) == 8_192


def test_log_records_and_metric_points_are_stored_once_with_what_sent_them(
    call: httpx.Client, workspace: Workspace, admin: Caller
) -> None:
    logs = ExportLogsServiceRequest()
    record = (
        logs.resource_logs.add()
        .scope_logs.add()
        .log_records.add(
            time_unix_nano=START_NS, severity_number=17, severity_text="ERROR", trace_id=bytes.fromhex(TRACE)
        )
    )
    record.body.string_value = "it broke"
    assert call.post("/v1/logs", content=logs.SerializeToString(), headers=PROTOBUF).status_code == 200

    metrics = ExportMetricsServiceRequest()
    scope = metrics.resource_metrics.add().scope_metrics.add()
    total = scope.metrics.add(name="requests", unit="1")
    total.sum.aggregation_temporality = 2
    total.sum.data_points.add(time_unix_nano=START_NS, as_int=3)
    times = scope.metrics.add(name="latency", unit="s").histogram
    times.data_points.add(
        time_unix_nano=START_NS, count=2, sum=0.5, explicit_bounds=[0.1, float("inf")], bucket_counts=[1, 1, 0]
    )
    scope.metrics.add(name="bad").gauge.data_points.add(time_unix_nano=START_NS, as_double=float("nan"))
    for _ in range(2):
        answer = call.post("/v1/metrics", content=metrics.SerializeToString(), headers=PROTOBUF)
        assert b"no finite number" in answer.content

    with workspace.reading(admin) as uow:
        rows = uow.session.execute(text("SELECT severity, trace_id, body FROM log_records")).all()
        assert [tuple(row) for row in rows] == [(17, TRACE, "it broke")]
        query = (
            "SELECT name, kind, value, p.count, content FROM metric_points p JOIN metric_series s ON s.id = p.series"
        )
        points = sorted(tuple(row) for row in uow.session.execute(text(query)))
    assert points[0][:4] == ("latency", "histogram unspecified", 0.5, 2)
    assert json.loads(points[0][4]) == {"bounds": [0.1, None], "counts": [1, 1, 0]}
    assert points[1] == ("requests", "sum cumulative", 3.0, None, None)


def test_traces_are_found_by_what_they_are_and_listed_in_pages(call: httpx.Client) -> None:
    for number in range(5):
        tag = [{"key": "opsloop.endpoint", "value": {"stringValue": "chat"}}] if number % 2 else []
        one = span(traceId=f"{number + 1:032x}", attributes=tag, name=f"GET /order_{number}")
        one["startTimeUnixNano"] = str(START_NS + number * 10**9)
        one["endTimeUnixNano"] = str(START_NS + number * 10**9 + number * 10**6)
        one["status"] = {"code": 2 if number == 3 else 0}
        call.post("/v1/traces", json=sent(one, service=f"shop{number % 2}"))

    def names(**asked: Any) -> list[str]:
        return [each["name"][-1] for each in call.get("/api/traces", params=asked).json()["items"]]

    assert names() == ["4", "3", "2", "1", "0"]
    assert names(endpoint="chat") == ["3", "1"]
    assert names(service="shop0") == ["4", "2", "0"]
    assert names(errors_only=True) == ["3"]
    assert names(min_duration_ms=2.5) == ["4", "3"]
    assert names(q="ORDER_2") == ["2"]
    assert names(q="order%") == []
    assert names(q=f"{2:032x}") == ["1"]
    assert names(**{"from": "2026-01-01T00:00:01Z", "to": "2026-01-01T00:00:03Z"}) == ["2", "1"]
    first = call.get("/api/traces", params={"limit": 2}).json()
    assert names(limit=2, before=first["next"]) == ["2", "1"]


def test_old_telemetry_goes(call: httpx.Client, workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    start_ns = int(clock.now().timestamp()) * 10**9
    call.post("/v1/traces", json=sent(span(startTimeUnixNano=str(start_ns), endTimeUnixNano=str(start_ns + 1))))
    assert pruning.prune(workspace) == 0
    clock.advance(8 * 86_400)
    pruning.prune(workspace)
    assert call.get("/api/traces").json()["items"] == []
    with workspace.reading(admin) as uow:
        assert uow.session.scalar(text("SELECT count(*) FROM spans")) == 0
