"""`opsloop flow run`: one run of a flow."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsloop.cli.flow.arguments import folder, init_option, init_values, json_object, pairs, variants_option
from opsloop.cli.flow.loading import loaded_flow
from opsloop.cli.flow.noun import flow
from opsloop.cli.session import Session
from opsloop.cli.verbs import verb

if TYPE_CHECKING:
    from opsloop.flows.results import FlowResult


@verb(
    flow,
    "run",
    example="""opsloop flow run flows/answer --input question="Is dental covered?"
    opsloop flow run flows/answer --inputs turn.json --json""",
)
@folder
@click.option("--input", "given", multiple=True, metavar="NAME=VALUE", help="An input; may be repeated.")
@click.option(
    "--inputs",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file with inputs; --input wins over it.",
)
@init_option
@variants_option
def run(
    session: Session,
    path: Path,
    given: Sequence[str],
    file: Path | None,
    init: Sequence[str],
    variants: Sequence[str],
) -> None:
    """Run the flow in DIR once."""
    inputs = {**(json_object(file) if file is not None else {}), **pairs(given, "--input")}
    with loaded_flow(session, path, variants, init_values(init)) as loaded:
        result = loaded.run_sync(inputs)
        hidden = {name for name, each in loaded.flow.outputs.items() if each.evaluation_only}
    session.answer(_run_answer(result), lambda: _words(result, hidden))


def _run_answer(result: FlowResult) -> dict[str, Any]:
    from opsloop.flows.values import plain

    nodes = [
        {
            "node": node.node,
            "status": node.status,
            "start_ms": node.start_ms,
            "duration_ms": node.duration_ms,
            "output": node.output_excerpt,
            "error": node.error,
        }
        for node in result.nodes
    ]
    return {
        "outputs": plain(result.outputs),
        "duration_ms": result.duration_ms,
        "tokens": result.tokens,
        "nodes": nodes,
    }


def _words(result: FlowResult, hidden: Collection[str]) -> str:
    """The outputs for people; those that are there for evaluations only are many words about how it was done."""
    outputs = {name: value for name, value in _run_answer(result)["outputs"].items() if name not in hidden}
    shown = [value for value in outputs.values() if value is not None]
    if len(shown) == 1 and isinstance(shown[0], str):
        return shown[0]
    return json.dumps(outputs, indent=2, ensure_ascii=False)
