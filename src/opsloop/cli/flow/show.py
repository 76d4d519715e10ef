"""`opsloop flow show`: a flow as a drawing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from opsloop.cli.flow.arguments import folder, pairs, variants_option
from opsloop.cli.flow.noun import flow
from opsloop.cli.session import Session
from opsloop.cli.verbs import verb


@verb(
    flow,
    "show",
    example="""opsloop flow show flows/answer
    opsloop flow show flows/answer > answer.mmd""",
)
@folder
@variants_option
def show(session: Session, path: Path, variants: Sequence[str]) -> None:
    """Draw the flow in DIR as a Mermaid flowchart."""
    from opsloop.flows import graph
    from opsloop.flows.formats import flow_file

    found = flow_file.read(path, variants=pairs(variants, "--variant"))
    graph.in_order(found)
    drawn = graph.mermaid(found)
    answer = {
        "flow": found.name,
        "inputs": {name: {"type": each.type, "default": each.default} for name, each in found.inputs.items()},
        "nodes": [{"name": node.name, "type": node.type} for node in found.nodes],
        "outputs": {name: {"type": each.type, "from": str(each.binding)} for name, each in found.outputs.items()},
        "mermaid": drawn,
    }
    session.answer(answer, drawn)
