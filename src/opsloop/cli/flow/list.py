"""`opsloop flow list`: the versions that are kept."""

from __future__ import annotations

import click

from opsloop.cli import text
from opsloop.cli.flow.noun import flow
from opsloop.cli.session import Session
from opsloop.cli.verbs import verb


@verb(flow, "list", example="opsloop flow list answer")
@click.argument("name", required=False)
def listed(session: Session, name: str | None) -> None:
    """List the versions of flow NAME; without it, the current version of every flow."""
    with session.client() as client:
        found = client.flows.listed() if name is None else client.flows.versions(name)
    rows = [(each.ref, each.digest[:12], each.created_at, each.created_by) for each in found]
    words = text.table(("version", "digest", "created", "by"), rows)
    session.answer({"items": found}, words or "no flows yet; `opsloop flow register DIR` keeps one")
