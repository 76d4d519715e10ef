"""`opsloop flow batch`: many rows through a flow."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsloop.cli import text
from opsloop.cli.flow.arguments import folder, pairs, variants_option
from opsloop.cli.flow.loading import loaded_flow
from opsloop.cli.flow.noun import flow
from opsloop.cli.session import Session
from opsloop.cli.verbs import verb

if TYPE_CHECKING:
    from opsloop.flows.batch import BatchResult, RowResult


@verb(
    flow,
    "batch",
    example="""opsloop flow batch flows/answer --data questions.jsonl --map question='${data.question}'
    opsloop flow batch flows/answer --data questions.csv --output answers.jsonl --journal answers.journal""",
)
@folder
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
@variants_option
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
    with loaded_flow(session, path, variants) as loaded, session.progress("running") as progress:
        done = asyncio.run(
            run_batch(
                loaded,
                rows,
                mapping=pairs(mapping, "--map"),
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
