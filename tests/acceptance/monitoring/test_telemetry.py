"""A service with the official OpenTelemetry SDK, in a process of its own, sends its telemetry to a real platform."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx

from tests.acceptance.up import Up, environment

SERVICE = """
import logging

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import Compression, OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

resource = Resource.create({"service.name": "shop"})
tracing = TracerProvider(resource=resource)
tracing.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(compression=Compression.Gzip)))
tracer = tracing.get_tracer("shop")
with tracer.start_as_current_span("order") as order:
    for number in range(600):
        with tracer.start_as_current_span("line", attributes={"number": number}):
            pass
metering = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource=resource)
metering.get_meter("shop").create_counter("orders").add(3, {"country": "at"})
assert tracing.force_flush() and metering.force_flush()
tracing.shutdown()
metering.shutdown()
print(format(order.get_span_context().trace_id, "032x"))
"""


def test_telemetry_of_a_service_arrives_whole(project: Path, port: int, started: list[Up]) -> None:
    up = Up(project, port, "--no-demo")
    started.append(up)
    up.ready()
    done = subprocess.run(
        [sys.executable, "-c", SERVICE],
        env=environment(OTEL_EXPORTER_OTLP_ENDPOINT=up.url),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Failed to export" not in done.stderr
    line = httpx.get(f"{up.url}/api/traces/{done.stdout.strip()}").json()["line"]
    assert (line["service"], line["name"], line["spans"]) == ("shop", "order", 601)
