"""`opsloop monitor traces` and `opsloop monitor trace`: where the time of requests went."""

from __future__ import annotations

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone
from opsloop.monitoring.telemetry.models import Trace
from opsloop.monitoring.telemetry.waterfall import rows

BAR_CHARS = 32
NAME_CHARS = 44


@lone("traces", example="opsloop monitor traces support-chat --errors")
@click.argument("endpoint", required=False)
@click.option("--service", metavar="NAME", help="Only traces in which this service took part.")
@click.option("--errors", "errors_only", is_flag=True, help="Only traces with an error.")
@click.option("--slower-than", "min_duration_ms", type=click.FloatRange(0), metavar="MS", help="Only longer ones.")
@click.option("--request", "request_id", metavar="ID", help="Only of this request.")
@click.option("--from", "since", metavar="TIME", help="Only from this instant, e.g. 2026-05-01T00:00:00Z.")
@click.option("--to", "until", metavar="TIME", help="Only before this instant.")
@click.option("-q", "q", metavar="TEXT", help="Part of a name, or the begin of an id.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many, newest first.")
def traces(
    session: Session,
    endpoint: str | None,
    service: str | None,
    errors_only: bool,
    min_duration_ms: float | None,
    request_id: str | None,
    since: str | None,
    until: str | None,
    q: str | None,
    limit: int,
) -> None:
    """List traces, newest first."""
    with session.client() as client:
        found = client.traces.list(
            endpoint=endpoint,
            service=service,
            errors_only=errors_only,
            min_duration_ms=min_duration_ms,
            request_id=request_id,
            since=since,
            until=until,
            q=q,
            limit=limit,
        )
    table = [
        (
            each.started_at,
            each.trace_id,
            each.service,
            each.name,
            each.endpoint,
            each.duration_ms,
            each.spans,
            each.errors,
        )
        for each in found
    ]
    words = text.table(("at", "trace", "service", "name", "endpoint", "ms", "spans", "errors"), table)
    session.answer({"items": found}, words or "no traces yet")


@lone("trace", example="opsloop monitor trace 0af7651916cd43dd8448eb211c80319c")
@click.argument("id")
@click.option("--spans", type=click.IntRange(1, 5_000), default=200, show_default=True, help="How many are shown.")
def trace(session: Session, id: str, spans: int) -> None:
    """Show where the time of a trace went; ID is a trace's or a request's."""
    with session.client() as client:
        found = client.traces.get(id, limit=spans)
    session.answer(found, _waterfall(found))


def _waterfall(found: Trace) -> str:
    line = found.line
    heading = text.fields(
        [
            ("trace", line.trace_id),
            ("request", line.request_id),
            ("endpoint", line.endpoint),
            ("at", line.started_at),
            ("took", f"{line.duration_ms:.4g} ms"),
            ("spans", f"{line.spans}, {line.errors} with an error"),
            ("tokens", f"{line.tokens_in} in, {line.tokens_out} out"),
        ]
    )
    table = []
    for row in rows(found.spans, line.duration_ms):
        before = min(BAR_CHARS - 1, round(row.left * BAR_CHARS))
        length = max(1, min(BAR_CHARS - before, round(row.width * BAR_CHARS)))
        name = f"{'· ' * min(row.depth, 12)}{row.span.name}"
        status = row.span.attributes.get("error.type") or "error" if row.span.status == "error" else ""
        bar = "." * before + "#" * length + "." * (BAR_CHARS - before - length)
        table.append((name[:NAME_CHARS], row.span.service, bar, row.span.start_ms, row.span.duration_ms, status))
    words = text.table(("span", "service", "when", "start ms", "ms", "error"), table)
    more = f"\n\n{line.spans - len(found.spans)} more spans: --spans" if found.next is not None else ""
    return f"{heading}\n\n{words}{more}"


COMMANDS = (traces, trace)
