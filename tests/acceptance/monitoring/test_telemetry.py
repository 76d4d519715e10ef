"""Telemetry between real processes: a service with the official OpenTelemetry SDK, and one platform to another."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import time
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


def test_a_platform_sends_its_own_metrics_and_log_to_another_that_comes_later(
    project: Path, tmp_path: Path, port: int, started: list[Up]
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        other = probe.getsockname()[1]
    sends = tmp_path / "sends"
    sends.mkdir()
    (sends / "opsloop.yaml").write_text("settings: {}\n")
    sending = Up(
        sends,
        other,
        "--no-demo",
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}",
        OTEL_METRIC_EXPORT_INTERVAL="500",
    )
    started.append(sending)
    sending.ready()
    sending.wait_for("telemetry_not_sent")
    sending.answers("/metrics", 200, within_s=30)
    collector = Up(project, port, "--no-demo")
    started.append(collector)
    collector.ready()
    sending.wait_for("telemetry_sent_again")
    database = project / ".opsloop" / "state.db"
    assert _found(database, "SELECT count(*) FROM metric_series WHERE name = 'telemetry_lost_total'") >= 1
    assert _found(database, "SELECT count(*) FROM log_records WHERE body LIKE '%telemetry_sent_again%'") >= 1


def _found(database: Path, query: str) -> int:
    """A count, once it is above 0, or what it is at last."""
    count = 0
    for _ in range(300):
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            (count,) = connection.execute(query).fetchone()
        if count:
            break
        time.sleep(0.1)
    return int(count)
