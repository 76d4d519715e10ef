"""How many spans a second one process takes in by OTLP, beside what decoding and inserting alone would cost.

Run: python benchmarks/otlp_ingest.py [--spans 20000] [--batch 512] [--rounds 3]
Goal: at least 5,000 spans a second in one process, all of them stored when the request is answered.

Both write into a SQLite file of their own, in rounds that alternate: the limit decodes the same bodies with protobuf
and hands bare rows to `executemany` in a table with the same ids and index; ours is the code behind `POST /v1/traces`
(unpacking, decoding, checking, attributes, spans, sums of traces, commit). Times are CPU times of this process.
"""

from __future__ import annotations

import argparse
import gzip
import random
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from opsloop.core.caller import Caller, Role
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.monitoring.telemetry.otlp import bodies
from opsloop.monitoring.telemetry.otlp.api import take

GOAL_PER_S = 5_000
BY = Caller("benchmark", Role.ADMIN)
SPANS_A_TRACE = 8


def made(spans: int, batch: int, seed: int) -> list[bytes]:
    """Bodies as an SDK sends them: gzipped, a resource of six attributes, spans of eight."""
    draw = random.Random(seed)
    found = []
    for at in range(0, spans, batch):
        request = ExportTraceServiceRequest()
        of_resource = request.resource_spans.add()
        for name in ("service.name", "service.version", "host.name", "process.pid", "telemetry.sdk.name", "os.type"):
            of_resource.resource.attributes.add(key=name).value.string_value = f"{name} of the shop"
        scope = of_resource.scope_spans.add()
        trace = b""
        for number in range(at, min(spans, at + batch)):
            if number % SPANS_A_TRACE == 0 or not trace:
                trace = draw.randbytes(16)
            span = scope.spans.add(trace_id=trace, span_id=draw.randbytes(8), name="GET /orders/{id}", kind=2)
            span.start_time_unix_nano = 1_767_225_600_000_000_000 + number * 1_000_000
            span.end_time_unix_nano = span.start_time_unix_nano + 900_000
            for name in ("http.request.method", "url.path", "server.address", "user_agent.original", "net.peer.name"):
                span.attributes.add(key=name).value.string_value = f"{name} {number}"
            for name in ("http.response.status_code", "server.port", "thread.id"):
                span.attributes.add(key=name).value.int_value = number
        found.append(gzip.compress(request.SerializeToString(), 1))
    return found


def limit(folder: Path, sent: list[bytes]) -> float:
    """CPU seconds of decoding and bare inserts."""
    connection = sqlite3.connect(folder / "bare.db")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS spans (trace TEXT, span TEXT, name TEXT, at INT, took INT, content BLOB)"
    )
    connection.execute("CREATE UNIQUE INDEX IF NOT EXISTS ids ON spans (trace, span)")
    start_s = time.process_time()
    for body in sent:
        request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
        rows = [
            (
                span.trace_id.hex(),
                span.span_id.hex(),
                span.name,
                span.start_time_unix_nano,
                span.end_time_unix_nano - span.start_time_unix_nano,
                span.SerializeToString(),
            )
            for of_resource in request.resource_spans
            for scope in of_resource.scope_spans
            for span in scope.spans
        ]
        with connection:
            connection.executemany("INSERT INTO spans VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.close()
    return time.process_time() - start_s


def ours(workspace: Workspace, sent: list[bytes]) -> tuple[float, float]:
    """CPU seconds, and seconds on the clock, of what the route does."""
    start_s, clock_s = time.process_time(), time.perf_counter()
    for body in sent:
        take("/v1/traces", workspace, BY, body, bodies.PROTOBUF, encoding="gzip")
    return time.process_time() - start_s, time.perf_counter() - clock_s


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--spans", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    bare: list[float] = []
    cpu: list[float] = []
    passed: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace = open_workspace(CoreSettings(data_dir=folder / "data"))
        for number in range(asked.rounds + 1):
            sent = made(asked.spans if number else asked.batch, asked.batch, number)
            limit_s = limit(folder, sent)
            cpu_s, clock_s = ours(workspace, sent)
            if number:  # the first warms both up
                bare.append(limit_s / asked.spans)
                cpu.append(cpu_s / asked.spans)
                passed.append(clock_s / asked.spans)
        workspace.close()
    limit_us, cpu_us = (1e6 * statistics.median(each) for each in (bare, cpu))
    per_s = 1 / statistics.median(passed)
    print(f"limit: protobuf and executemany   {limit_us:8.1f} us CPU a span")
    print(f"POST /v1/traces                   {cpu_us:8.1f} us CPU a span   {per_s:8,.0f} spans/s on the clock")
    print(f"ratio to the limit                {cpu_us / limit_us:8.2f}")
    print(f"goal of {GOAL_PER_S:,} spans/s: {'met' if per_s >= GOAL_PER_S else 'missed'}")


if __name__ == "__main__":
    main()
