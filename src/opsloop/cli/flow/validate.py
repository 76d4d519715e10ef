"""`opsloop flow validate`: is everything there that a flow needs?"""

from __future__ import annotations

from pathlib import Path

from opsloop.cli.flow.arguments import folder
from opsloop.cli.flow.loading import loaded_flow
from opsloop.cli.flow.noun import flow
from opsloop.cli.session import Session
from opsloop.cli.verbs import verb


@verb(flow, "validate", example="opsloop flow validate flows/answer")
@folder
def validate(session: Session, path: Path) -> None:
    """Check the flow in DIR and all its nodes need, without running it."""
    with loaded_flow(session, path) as loaded:
        found, connections = loaded.flow, loaded.unknown_connections()
    warnings = (*found.warnings, *connections)
    answer = {"flow": found.name, "valid": True, "nodes": len(found.nodes), "warnings": warnings}
    # The connections have been told on stderr already.
    words = "\n".join([f"{found.name}: {len(found.nodes)} nodes, nothing wrong", *found.warnings])
    session.answer(answer, words)
