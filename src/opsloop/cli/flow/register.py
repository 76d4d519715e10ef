"""`opsloop flow register`: keep a flow as a version."""

from __future__ import annotations

from pathlib import Path

import click

from opsloop.cli.flow.arguments import folder
from opsloop.cli.flow.noun import flow
from opsloop.cli.session import Session
from opsloop.cli.verbs import verb


@verb(flow, "register", example="opsloop flow register flows/answer --name answer")
@folder
@click.option("--name", metavar="NAME", help="What to call it; default: the folder's name.")
def register(session: Session, path: Path, name: str | None) -> None:
    """Keep the flow in DIR as a version; the same content again is the version it was."""
    with session.client() as client:
        version = client.flows.register(path, name=name)
    session.answer(version, f"{version.ref} ({version.digest[:12]})")
