"""`opsloop ticket`: support tickets about answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb


@noun("ticket")
def ticket() -> None:
    """Support tickets about answers, from a help desk."""


@verb(
    ticket,
    "import",
    example="""opsloop ticket import tickets.csv --system zendesk
    opsloop ticket import export.json --system jira --map id=issue --map body=details""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--system", required=True, metavar="NAME", help="The help desk; a ticket's id is unique within it.")
@click.option("--map", "mapped", multiple=True, metavar="FIELD=COLUMN", help="Which column gives a field; repeat it.")
def imported(session: Session, file: Path, system: str, mapped: Sequence[str]) -> None:
    """Take in the tickets of FILE: CSV, JSON or JSON lines.

    A ticket that is known already takes its new state, so a file can be imported again. Fields are id, subject, body,
    category, status, priority, tags, request_id, endpoint, link and opened_at; the usual names of columns are known.
    """
    pairs = [each.partition("=") for each in mapped]
    if wrong := next((name for name, equals, _ in pairs if not equals), None):
        raise click.BadParameter(f"{wrong!r} is not FIELD=COLUMN", param_hint="--map")
    with session.client() as client:
        taken = client.tickets.import_file(system, file, columns={name: column for name, _, column in pairs})
    session.answer(taken, f"tickets of {system}: {taken}")


@verb(ticket, "delete", example="opsloop ticket delete zendesk 17")
@click.argument("system")
@click.argument("outer_id", metavar="ID")
def delete(session: Session, system: str, outer_id: str) -> None:
    """Let go of the ticket that help desk SYSTEM has under ID."""
    with session.client() as client:
        client.tickets.erase(system, outer_id)
    session.answer({"system": system, "id": outer_id}, f"{system}/{outer_id} is deleted")


@verb(ticket, "list", example="opsloop ticket list --system zendesk --limit 20")
@click.option("--system", metavar="NAME", help="Only of this help desk.")
@click.option("--request", "request_id", metavar="ID", help="Only on this request.")
@click.option("--before", type=click.IntRange(1), metavar="N", help="Only before this number.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, newest first.")
def listed(session: Session, system: str | None, request_id: str | None, before: int | None, limit: int) -> None:
    """List tickets, the ones taken in last first."""
    with session.client() as client:
        found = client.tickets.listed(system=system, request_id=request_id, before=before, limit=limit)
    rows = [
        (each.seq, each.opened_at, f"{each.system}/{each.outer_id}", each.status, each.request_id, each.subject[:60])
        for each in found
    ]
    words = text.table(("no", "opened", "ticket", "status", "request", "subject"), rows)
    session.answer({"items": found}, words or "no ticket yet; `opsloop ticket import FILE --system NAME` takes them in")
