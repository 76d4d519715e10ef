"""What leaves by OTLP, message by message, read back from its bytes."""

from __future__ import annotations

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from opsloop.core.settings import read
from opsloop.core.telemetry import collecting
from opsloop.core.telemetry.otlp import logs, metrics, spans
from opsloop.core.telemetry.otlp.destination import destination
from opsloop.core.telemetry.otlp.settings import OtlpSettings, Signal


def test_metrics_keep_their_names_and_say_what_they_count() -> None:
    registry = CollectorRegistry()
    asked = Counter("asked", "Requests.", ["endpoint"], registry=registry)
    asked.labels("chat").inc(3)
    Gauge("left_ratio", "What is left.", registry=registry).set(0.25)
    took = Histogram("took_seconds", "Time.", buckets=(0.1, 1.0), registry=registry)
    for each in (0.05, 0.5, 0.6, 7.0):
        took.observe(each)
    sent = metrics.request(registry.collect(), started_ns=1, now_ns=2).SerializeToString()
    [of_resource] = ExportMetricsServiceRequest.FromString(sent).resource_metrics
    names = {each.key: each.value.string_value for each in of_resource.resource.attributes}
    assert names["service.name"] == "opsloop"
    assert names["service.instance.id"]
    found = {each.name: each for each in of_resource.scope_metrics[0].metrics}
    assert set(found) == {"asked_total", "left_ratio", "took_seconds"}
    [count] = found["asked_total"].sum.data_points
    assert (count.as_double, count.time_unix_nano) == (3.0, 2)
    assert found["asked_total"].sum.is_monotonic
    assert [(each.key, each.value.string_value) for each in count.attributes] == [("endpoint", "chat")]
    assert (found["left_ratio"].gauge.data_points[0].as_double, found["left_ratio"].unit) == (0.25, "1")
    [point] = found["took_seconds"].histogram.data_points
    assert (list(point.explicit_bounds), list(point.bucket_counts), point.count) == ([0.1, 1.0], [1, 2, 1], 4)
    assert (point.sum, found["took_seconds"].unit) == (pytest.approx(8.15), "s")
    assert point.start_time_unix_nano > 1  # the series says itself since when it counts


def test_a_log_line_is_its_event_its_fields_and_its_span() -> None:
    taken: list[logs.Line] = []
    line = {"event": "asked", "level": "warning", "timestamp": "t", "count": 2, "by": "x" * 9_000, "exception": "Trace"}
    root = collecting.begin("request", collecting.parent_in(None), sampled=True)
    with collecting.below(root, "inner") as inner:
        assert logs.taking(taken.extend)(None, "warning", dict(line)) == line
    sent = ExportLogsServiceRequest.FromString(logs.message(taken).SerializeToString())
    [record] = sent.resource_logs[0].scope_logs[0].log_records
    assert (record.body.string_value, record.severity_number, record.severity_text) == ("asked", 13, "WARNING")
    found = {each.key: each.value for each in record.attributes}
    assert set(found) == {"count", "by", "exception.stacktrace"}
    assert (found["count"].int_value, len(found["by"].string_value)) == (2, 8_192)
    assert (int.from_bytes(record.trace_id), int.from_bytes(record.span_id)) == (
        root.context.trace_id,
        inner.context.span_id,
    )


def test_a_span_of_any_values_is_sent() -> None:
    root = collecting.begin("request", collecting.parent_in(None), sampled=True)
    root.set_attributes({"a": [1, "x", 0.5, True], "big": 2**70, "object": object(), "half": "\ud800"})
    root.add_event("told", {"n": 1})
    root.end()
    sent = ExportTraceServiceRequest.FromString(spans.message([root]).SerializeToString())
    [span] = sent.resource_spans[0].scope_spans[0].spans
    assert (span.name, span.kind, span.parent_span_id) == ("request", span.SPAN_KIND_SERVER, b"")
    values = {each.key: each.value for each in span.attributes}
    assert [each.WhichOneof("value") for each in values["a"].array_value.values] == [
        "int_value",
        "string_value",
        "double_value",
        "bool_value",
    ]
    assert values["big"].string_value == str(2**70)
    assert span.events[0].name == "told"


def test_where_signals_go_is_said_by_the_names_of_the_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    assert destination(read(OtlpSettings), Signal.LOGS) is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318/")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://one:9/write")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cr3t,x=1")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "500")
    settings = read(OtlpSettings)
    traced, metered = destination(settings, Signal.TRACES), destination(settings, Signal.METRICS)
    assert traced is not None
    assert metered is not None
    assert (traced.url, metered.url) == ("http://all:4318/v1/traces", "http://one:9/write")
    assert (traced.headers, settings.otlp_metric_interval_ms) == ({"authorization": "Bearer s3cr3t", "x": "1"}, 500)
    assert "s3cr3t" not in repr(traced) + repr(settings)
