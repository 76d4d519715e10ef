"""`opsloop flow`: prompt flows in a folder, run and checked here; their versions on the platform."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.flows.batch import BatchResult, RowResult
    from opsloop.flows.loaded import LoadedFlow
    from opsloop.flows.results import FlowResult

# By name: a flow's Python may ask for the project's documents, and only then is the database's library loaded.
OPEN = "opsloop.core.opening:open_workspace"


@noun("flow")
def flow() -> None:
    """Prompt flows: run, check and draw them."""


def _folder(function: Any) -> Any:
    return click.argument("path", metavar="DIR", type=click.Path(exists=True, path_type=Path))(function)


def _variants(function: Any) -> Any:
    return click.option(
        "--variant", "variants", multiple=True, metavar="NODE=ID", help="Variant of a node to use; may be repeated."
    )(function)


@verb(
    flow,
    "run",
    example="""opsloop flow run flows/answer --input question="Is dental covered?"
    opsloop flow run flows/answer --inputs turn.json --json""",
)
@_folder
@click.option("--input", "given", multiple=True, metavar="NAME=VALUE", help="An input; may be repeated.")
@click.option(
    "--inputs",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file with inputs; --input wins over it.",
)
@_variants
def run(session: Session, path: Path, given: Sequence[str], file: Path | None, variants: Sequence[str]) -> None:
    """Run the flow in DIR once."""
    inputs = {**(_object(file) if file is not None else {}), **_pairs(given, "--input")}
    with _loaded(session, path, variants) as loaded:
        result = loaded.run_sync(inputs)
    session.answer(_run_answer(result), lambda: _outputs(result))


@verb(
    flow,
    "batch",
    example="""opsloop flow batch flows/answer --data questions.jsonl --map question='${data.question}'
    opsloop flow batch flows/answer --data questions.csv --output answers.jsonl --journal answers.journal""",
)
@_folder
@click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Rows: JSON lines, or CSV with a header.",
)
@click.option(
    "--map", "mapping", multiple=True, metavar="INPUT=VALUE", help="What an input gets: a value or ${data.COLUMN}."
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to put the results, JSON lines.")
@click.option(
    "--journal",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Record finished rows here; a batch that was killed goes on where it was.",
)
@click.option("--retry-failed", is_flag=True, help="Run the rows again that the journal has as failed.")
@click.option("--concurrency", type=click.IntRange(1, 256), default=16, show_default=True, help="Rows at a time.")
@_variants
def batch(
    session: Session,
    path: Path,
    data: Path,
    mapping: Sequence[str],
    output: Path | None,
    journal: Path | None,
    retry_failed: bool,
    concurrency: int,
    variants: Sequence[str],
) -> None:
    """Run the flow in DIR over every row. Exit code 1 when a row failed; the others are done all the same."""
    from opsloop.core.errors import Failed
    from opsloop.flows.batch import run_batch

    rows = _rows(data)
    with _loaded(session, path, variants) as loaded, session.progress("running") as progress:
        done = asyncio.run(
            run_batch(
                loaded,
                rows,
                mapping=_pairs(mapping, "--map"),
                concurrency=concurrency,
                journal=journal,
                retry_failed=retry_failed,
                progress=lambda at: progress(at.done, at.total, f"{at.failed} failed" if at.failed else ""),
            )
        )
    answer = _batch_answer(done)
    if output is not None:
        output.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in answer["rows"]))
    session.answer(answer, lambda: _batch_words(done, output))
    if done.failed:
        first = next(row for row in done.rows if not row.is_completed)
        raise Failed(
            f"{done.failed} of {len(done.rows)} rows failed; the first is row {first.index + 1}: {first.error}"
        )


@verb(flow, "validate", example="opsloop flow validate flows/answer")
@_folder
def validate(session: Session, path: Path) -> None:
    """Check the flow in DIR and all its nodes need, without running it."""
    with _loaded(session, path, ()) as loaded:
        found = loaded.flow
    answer = {"flow": found.name, "valid": True, "nodes": len(found.nodes), "warnings": found.warnings}
    words = "\n".join([f"{found.name}: {len(found.nodes)} nodes, nothing wrong", *found.warnings])
    session.answer(answer, words)


@verb(
    flow,
    "show",
    example="""opsloop flow show flows/answer
    opsloop flow show flows/answer > answer.mmd""",
)
@_folder
@_variants
def show(session: Session, path: Path, variants: Sequence[str]) -> None:
    """Draw the flow in DIR as a Mermaid flowchart."""
    from opsloop.flows import graph
    from opsloop.flows.formats import dag

    found = dag.read(path, variants=_pairs(variants, "--variant"))
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


@verb(flow, "register", example="opsloop flow register flows/answer --name answer")
@_folder
@click.option("--name", metavar="NAME", help="What to call it; default: the folder's name.")
def register(session: Session, path: Path, name: str | None) -> None:
    """Keep the flow in DIR as a version; the same content again is the version it was."""
    with session.client() as client:
        version = client.flows.register(path, name=name)
    session.answer(version, f"{version.ref} ({version.digest[:12]})")


@verb(flow, "list", example="opsloop flow list answer")
@click.argument("name", required=False)
def listed(session: Session, name: str | None) -> None:
    """List the versions of flow NAME; without it, the current version of every flow."""
    with session.client() as client:
        found = client.flows.listed() if name is None else client.flows.versions(name)
    rows = [(each.ref, each.digest[:12], each.created_at, each.created_by) for each in found]
    words = text.table(("version", "digest", "created", "by"), rows)
    session.answer({"items": found}, words or "no flows yet; `opsloop flow register DIR` keeps one")


@contextmanager
def _loaded(session: Session, path: Path, variants: Sequence[str]) -> Iterator[LoadedFlow]:
    """The flow, and while it is used the project's workspace for Python nodes that ask for it."""
    from opsloop.flows.loaded import load

    with _workspace(session):
        yield load(path, variants=_pairs(variants, "--variant"))


@contextmanager
def _workspace(session: Session) -> Iterator[None]:
    from pkgutil import resolve_name

    from opsloop.client.local import core_settings
    from opsloop.client.project import FILE
    from opsloop.core.context import current_workspace

    project = session.project
    settings = core_settings(project)
    is_project = (project.folder / FILE).is_file()
    if settings.database_url is None and not settings.data_dir.is_dir() and not is_project:
        yield  # a flow by itself: one that needs no documents runs all the same
        return
    workspace = resolve_name(OPEN)(settings, file_values=project.settings)
    token = current_workspace.set(workspace)
    try:
        yield
    finally:
        current_workspace.reset(token)
        workspace.close()


def _pairs(given: Sequence[str], option: str) -> dict[str, str]:
    from opsloop.core.errors import InvalidInput

    found = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidInput(field=option, value=pair, wanted="NAME=VALUE")
        found[name] = value
    return found


def _object(file: Path) -> dict[str, Any]:
    from opsloop.core.errors import InvalidInput

    try:
        found = json.loads(file.read_bytes())
    except ValueError as error:
        raise InvalidInput(f"{file} is not valid JSON: {error}", field="--inputs") from None
    if not isinstance(found, dict):
        raise InvalidInput(field="--inputs", value=found, wanted="a JSON object of inputs")
    return found


def _rows(file: Path) -> list[dict[str, Any]]:
    from opsloop.core.errors import InvalidInput

    try:
        content = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file} is not UTF-8 text (byte {error.start})", field="--data") from None
    if file.suffix.lower() == ".csv":
        return list(csv.DictReader(io.StringIO(content, newline=""), restkey="", strict=True))
    lines = [(number, line) for number, line in enumerate(content.split("\n"), start=1) if line.strip()]
    return [_row(file, number, line) for number, line in lines]


def _row(file: Path, number: int, line: str) -> dict[str, Any]:
    from opsloop.core.errors import InvalidInput

    try:
        found = json.loads(line)
    except ValueError as error:
        raise InvalidInput(f"{file}:{number} is not valid JSON: {error}", field="--data") from None
    if not isinstance(found, dict):
        raise InvalidInput(field=f"{file}:{number}", value=found, wanted="a JSON object, one a line")
    return found


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


def _outputs(result: FlowResult) -> str:
    shown = {name: value for name, value in result.outputs.items() if value is not None}
    if len(shown) == 1 and isinstance(only := next(iter(shown.values())), str):
        return only
    return json.dumps(_run_answer(result)["outputs"], indent=2, ensure_ascii=False)


def _batch_answer(done: BatchResult) -> dict[str, Any]:
    from opsloop.flows.values import plain

    def row(each: RowResult) -> dict[str, Any]:
        return {
            "row": each.index + 1,
            "inputs": plain(each.inputs),
            "outputs": plain(each.outputs),
            "error": each.error,
            "duration_ms": each.duration_ms,
        }

    return {
        "completed": done.completed,
        "failed": done.failed,
        "duration_ms": done.duration_ms,
        "tokens": done.tokens,
        "aggregate": plain(done.aggregate),
        "aggregate_error": done.aggregate_error,
        "rows": [row(each) for each in done.rows],
    }


def _batch_words(done: BatchResult, output: Path | None) -> str:
    lines = [f"{done.completed} of {len(done.rows)} rows completed in {done.duration_ms / 1000:.1f} s"]
    if done.aggregate_error is not None:
        lines.append(f"the aggregation failed: {done.aggregate_error}")
    if output is not None:
        return "\n".join([*lines, f"results are in {output}"])
    rows = [(row.index + 1, row.error or json.dumps(_brief(row), ensure_ascii=False)) for row in done.rows]
    return "\n".join([*lines, "", text.table(("row", "result"), rows)])


def _brief(row: RowResult) -> dict[str, Any]:
    from opsloop.flows.results import excerpt

    return {name: value if isinstance(value, int | float) else excerpt(value) for name, value in row.outputs.items()}
