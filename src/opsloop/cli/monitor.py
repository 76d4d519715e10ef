"""`opsloop monitor`: what endpoints answer, how fast and how well."""

from __future__ import annotations

import click

from opsloop.cli import (
    monitor_anomalies,
    monitor_labels,
    monitor_models,
    monitor_objectives,
    monitor_scoring,
    monitor_traces,
    monitor_usage,
    text,
)
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb


@noun("monitor")
def monitor() -> None:
    """What endpoints answer, how fast and how well."""


_COMMANDS = (
    *monitor_models.COMMANDS,
    *monitor_labels.COMMANDS,
    *monitor_objectives.COMMANDS,
    *monitor_traces.COMMANDS,
    *monitor_usage.COMMANDS,
    *monitor_scoring.COMMANDS,
    *monitor_anomalies.COMMANDS,
)
for _command in _COMMANDS:
    monitor.add_command(_command)


@verb(monitor, "traffic", example="opsloop monitor traffic support-chat --window 3600")
@click.argument("endpoint")
@click.option(
    "--window",
    "window_s",
    type=click.IntRange(1, 604_800),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="Until now.",
)
def traffic(session: Session, endpoint: str, window_s: int) -> None:
    """Show rate, errors and latency of ENDPOINT, stable beside candidate."""
    with session.client() as client:
        report = client.monitoring.traffic(endpoint, window_s=window_s)
    rows = [
        (arm.arm, arm.count, arm.rate_per_s, text.percent(arm.error_rate), arm.shielded, arm.p50_ms, arm.p95_ms)
        for arm in report.summary.arms
    ]
    headings = ("arm", "requests", "per second", "errors", "shielded", "p50 ms", "p95 ms")
    nothing = f"nobody called {endpoint} in the last {window_s} s"
    session.answer(report, text.table(headings, rows) or nothing)


@verb(monitor, "requests", example="opsloop monitor requests --endpoint support-chat --limit 20")
@click.option("--endpoint", metavar="NAME", help="Only of this endpoint.")
@click.option("--request", "request_id", metavar="ID", help="Only this request.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, newest first.")
def requests(session: Session, endpoint: str | None, request_id: str | None, limit: int) -> None:
    """List requests, newest first."""
    with session.client() as client:
        found = client.monitoring.requests(endpoint=endpoint, request_id=request_id, limit=limit)
    rows = [
        (each.started_at, each.request_id, each.endpoint, each.arm, each.status, each.http_status, each.duration_ms)
        for each in found
    ]
    words = text.table(("at", "request", "endpoint", "arm", "status", "http", "ms"), rows)
    session.answer({"items": found}, words or "no requests yet")
