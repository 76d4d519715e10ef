"""`opsloop monitor anomalies`: where metrics left their usual range."""

from __future__ import annotations

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone


@lone("anomalies", example="opsloop monitor anomalies endpoint/support-chat")
@click.argument("subject", required=False)
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="How many, newest first.")
def anomalies(session: Session, subject: str | None, limit: int) -> None:
    """List where metrics left their usual range, of all or of SUBJECT, such as endpoint/support-chat."""
    with session.client() as client:
        found = client.anomalies.list(subject=subject, limit=limit)
    rows = [(each.at, each.subject, each.metric, each.value, each.usual, each.score) for each in found]
    words = text.table(("at", "subject", "metric", "value", "usual", "score"), rows)
    session.answer({"items": found}, words or "no anomalies found")


COMMANDS = (anomalies,)
