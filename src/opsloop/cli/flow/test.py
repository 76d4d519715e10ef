"""`opsloop flow test`: one run of a flow with what its author gave as a sample, node by node; or a chat with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsloop.cli import text
from opsloop.cli.flow.arguments import folder, init_option, init_values, json_object, pairs, variants_option
from opsloop.cli.flow.loading import loaded_flow
from opsloop.cli.flow.noun import flow
from opsloop.cli.session import Session
from opsloop.cli.verbs import verb

if TYPE_CHECKING:
    from opsloop.flows.loaded import LoadedFlow
    from opsloop.flows.results import FlowResult, NodeRun


@verb(
    flow,
    "test",
    example="""opsloop flow test flows/answer
    opsloop flow test flows/answer --input question="Is dental covered?"
    opsloop flow test flows/answer --node retrieve --input question="Is dental covered?"
    opsloop flow test flows/answer --interactive""",
)
@folder
@click.option("--input", "given", multiple=True, metavar="NAME=VALUE", help="An input; may be repeated.")
@click.option(
    "--inputs",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file with inputs, or JSON lines, of which the first counts; --input wins over it.",
)
@init_option
@click.option("--node", metavar="NODE", help="Run this node alone; inputs by its names, or NODE.output of others.")
@click.option("--interactive", is_flag=True, help="Talk with a chat flow; Ctrl-D ends.")
@variants_option
def test(
    session: Session,
    path: Path,
    given: Sequence[str],
    file: Path | None,
    init: Sequence[str],
    node: str | None,
    interactive: bool,
    variants: Sequence[str],
) -> None:
    """Run the flow in DIR once, on the inputs given, its sample and its defaults; show what each node did."""
    inputs = {**(json_object(file) if file is not None else {}), **pairs(given, "--input")}
    with loaded_flow(session, path, variants, init_values(init)) as loaded:
        if interactive:
            from opsloop.cli.flow.chatting import chat  # needs a terminal

            chat(session, loaded, inputs)
        elif node is not None:
            alone = asyncio.run(loaded.run_node(node, _with_outputs(inputs)))
            session.answer(_node(alone), lambda: _shown(alone.output))
        else:
            result = loaded.run_sync({**loaded.flow.sample.inputs, **inputs})
            metrics = _metrics(loaded, result)
            session.answer(_answer(result, metrics), lambda: _words(result, metrics))


def _metrics(loaded: LoadedFlow, result: FlowResult) -> dict[str, float]:
    """Those of the aggregation over this one row, as Prompt flow's test gives them."""
    if not loaded.has_aggregation:
        return {}
    return dict(asyncio.run(loaded.aggregate([result])).metrics)


def _with_outputs(inputs: dict[str, Any]) -> dict[str, Any]:
    """What other nodes gave comes as text; where it is JSON it stands for what it says."""

    def read(value: Any) -> Any:
        try:
            return json.loads(value)
        except (ValueError, TypeError):
            return value

    return {name: read(value) if name.endswith(".output") else value for name, value in inputs.items()}


def _answer(result: FlowResult, metrics: dict[str, float]) -> dict[str, Any]:
    from opsloop.flows.values import plain

    return {
        "outputs": plain(result.outputs),
        "metrics": plain(metrics),
        "duration_ms": result.duration_ms,
        "tokens": result.tokens,
        "nodes": [_node(each) for each in result.nodes],
    }


def _node(run: NodeRun) -> dict[str, Any]:
    from opsloop.flows.values import plain

    return {
        "node": run.node,
        "status": run.status,
        "duration_ms": run.duration_ms,
        "inputs": plain(run.inputs),
        "output": plain(run.output),
        "tokens": run.tokens,
        "error": run.error,
    }


def _words(result: FlowResult, metrics: dict[str, float]) -> str:
    from opsloop.flows.values import plain

    rows = [
        (each.node, each.type, each.status.value, f"{each.duration_ms:.0f} ms", each.tokens.total or None)
        for each in result.nodes
    ]
    parts = [text.table(("node", "type", "status", "time", "tokens"), rows), _shown(plain(result.outputs))]
    if metrics:
        parts.append(text.table(("metric", "value"), sorted(metrics.items())))
    return "\n\n".join(part for part in parts if part)


def _shown(value: Any) -> str:
    from opsloop.flows.values import plain

    return value if isinstance(value, str) else json.dumps(plain(value), indent=2, ensure_ascii=False)
