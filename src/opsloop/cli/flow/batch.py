"""`opsloop flow batch`: many rows through a flow."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsloop.cli import text
from opsloop.cli.flow.arguments import pairs, variants_option
from opsloop.cli.flow.loading import project_workspace, runs_place
from opsloop.cli.flow.noun import flow
from opsloop.cli.session import Session
from opsloop.cli.verbs import verb

if TYPE_CHECKING:
    from opsloop.flows.batch import Progress
    from opsloop.flows.batch_run_folder import BatchRun
    from opsloop.flows.batch_runs import Finished, Manner
    from opsloop.flows.results import TokenUse
    from opsloop.flows.row_result import RowResult
    from opsloop.flows.run_file import RunWanted

_FILE = click.Path(dir_okay=False, path_type=Path)


@verb(
    flow,
    "batch",
    example="""opsloop flow batch flows/answer --data questions.jsonl --map question='${data.question}'
    opsloop flow batch flows/answer --data golden@3 --name monday --output answers.jsonl
    opsloop flow batch flows/grade --run monday --map answer='${run.outputs.answer}'
    opsloop flow batch --file run.yml
    opsloop flow batch --resume monday""",
)
@click.argument("path", metavar="[DIR]", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--data", metavar="FILE|DATASET", help="Rows: JSON lines, JSON, CSV, TSV, Parquet, or a dataset version.")
@click.option("--run", "earlier", metavar="NAME", help="Earlier run that ${run.outputs.NAME} reads.")
@click.option(
    "--map", "mapping", multiple=True, metavar="INPUT=VALUE", help="What an input gets: a value or ${data.COLUMN}."
)
@click.option(
    "--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A run.yml with all of that."
)
@click.option("--name", metavar="NAME", help="What to call the run; default: the flow's name and the time.")
@click.option("--resume", metavar="NAME", help="Go on with a run; rows and model calls it finished are not repeated.")
@click.option("--retry-failed", is_flag=True, help="On going on, run the rows again that failed.")
@click.option("--output", type=_FILE, help="Where to put the results, JSON lines.")
@click.option("--journal", type=_FILE, help="Where to record finished rows; default: in the run's folder.")
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of model answers: the same question is asked once over all batches that name it.",
)
@click.option("--concurrency", type=click.IntRange(1, 256), default=16, show_default=True, help="Rows at a time.")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Longest time for a row.")
@variants_option
def batch(
    session: Session,
    path: Path | None,
    data: str | None,
    earlier: str | None,
    mapping: Sequence[str],
    file: Path | None,
    name: str | None,
    resume: str | None,
    retry_failed: bool,
    output: Path | None,
    journal: Path | None,
    cache: Path | None,
    concurrency: int,
    timeout: float | None,
    variants: Sequence[str],
) -> None:
    """Run the flow in DIR over every row. Exit code 1 when a row failed; the others are done all the same.

    The run is kept in the project; `opsloop flow runs` shows those there are.
    """
    from opsloop.core.errors import Failed
    from opsloop.flows import batch_runs

    wanted = None if resume is not None else _wanted(path, file, data, earlier, mapping, name, variants)
    if resume is not None and any((path, file, data, earlier, mapping, name, variants, journal)):
        raise click.UsageError("--resume goes on with a run as it was begun; give it no other flow, rows or mapping")
    # Made absolute while the command is where the user is: the rows run in the flow's folder.
    place, journal, cache = (None if each is None else each.absolute() for each in (output, journal, cache))
    with project_workspace(session), session.progress("running") as bar:
        watch = _Watch(bar)
        manner = batch_runs.Manner(
            concurrency=concurrency,
            row_timeout_s=timeout,
            retry_failed=retry_failed,
            cache=cache,
            journal=journal,
            at_home=True,
            started=watch.started,
            progress=watch.progress,
        )
        try:
            done = _performed(runs_place(session), wanted, resume, manner)
        except KeyboardInterrupt:
            bar.stop()
            session.note(watch.how_to_go_on())
            raise
    answer = _answer(done)
    if place is not None:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in answer["rows"])
        place.write_text(lines, "utf-8", "backslashreplace")
    session.answer(answer, lambda: _words(done, output))
    if done.result.failed:
        first = next(row for row in done.result.rows if not row.is_completed)
        raise Failed(
            f"{done.result.failed} of {len(done.result.rows)} rows failed; "
            f"the first is row {first.index + 1}: {first.error}"
        )


def _wanted(
    path: Path | None,
    file: Path | None,
    data: str | None,
    earlier: str | None,
    mapping: Sequence[str],
    name: str | None,
    variants: Sequence[str],
) -> RunWanted:
    """What to run: by the run file when there is one, else by the options; options win over the file."""
    from dataclasses import replace

    from opsloop.flows import run_file

    if file is None and path is None:
        raise click.UsageError("name the folder of a flow, a run file with --file, or a run to go on with by --resume")
    wanted = run_file.read(file) if file is not None else run_file.RunWanted(flow=path or Path())
    if data is None and earlier is None and wanted.data is None and wanted.run is None:
        raise click.UsageError("name the rows with --data, or an earlier run with --run")
    return replace(
        wanted,
        flow=path or wanted.flow,
        data=data or wanted.data,
        run=earlier or wanted.run,
        column_mapping={**wanted.column_mapping, **pairs(mapping, "--map")},
        variants={**wanted.variants, **pairs(variants, "--variant")},
        name=name or wanted.name,
    )


def _performed(place: Path, wanted: RunWanted | None, resume: str | None, manner: Manner) -> Finished:
    from opsloop.flows import batch_runs

    if wanted is not None:
        return batch_runs.create(place, wanted, manner)
    assert resume is not None
    return batch_runs.resume(place, resume, manner)


class _Watch:
    """Follows a run: how far it is, how long it may still take, and how to go on with it when it is stopped."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._run: BatchRun | None = None
        self._at: Progress | None = None
        self._since_s = time.monotonic()

    def started(self, run: BatchRun) -> None:
        gc.freeze()  # what is loaded stays until this process ends; looking through it again costs a tenth of the time
        self._run = run
        self._since_s = time.monotonic()

    def progress(self, at: Progress) -> None:
        self._at = at
        left_s = remaining_s(at, time.monotonic() - self._since_s)
        parts = [f"{at.failed} failed" if at.failed else "", f"{text.duration(left_s)} left" if left_s else ""]
        self._bar(at.done, at.total, ", ".join(part for part in parts if part))

    def how_to_go_on(self) -> str:
        if self._run is None:
            return "nothing was run yet"
        done = f"{self._at.done} of {self._at.total}" if self._at is not None else "no"
        return f"{done} rows are done; `opsloop flow batch --resume {self._run.name}` goes on with the others"


def remaining_s(at: Progress, elapsed_s: float) -> float | None:
    """Seconds until all rows are done, at the pace of those that this process ran; None when it ran none yet."""
    ran = at.done - at.resumed
    return elapsed_s / ran * (at.total - at.done) if ran > 0 else None


def _answer(done: Finished) -> dict[str, Any]:
    from opsloop.flows.values import plain

    def row(each: RowResult) -> dict[str, Any]:
        return {
            "row": each.index + 1,
            "inputs": plain(each.inputs),
            "outputs": plain(each.outputs),
            "error": each.error,
            "duration_ms": each.duration_ms,
        }

    result = done.result
    return {
        "run": done.run.name,
        "folder": str(done.run.folder),
        "completed": result.completed,
        "failed": result.failed,
        "resumed": sum(each.resumed for each in result.rows),
        "left_out": [index + 1 for index in result.left_out],
        "duration_ms": result.duration_ms,
        "tokens": result.tokens,
        "from_cache": result.from_cache,
        "damaged_lines": result.damaged,
        "metrics": plain(result.aggregate.metrics),
        "aggregate": plain(result.aggregate),
        "aggregate_error": result.aggregate_error,
        "warnings": list(done.run.warnings),
        "rows": [row(each) for each in result.rows],
    }


def _words(done: Finished, output: Path | None) -> str:
    result = done.result
    lines = [f"{result.completed} of {len(result.rows)} rows completed in {result.duration_ms / 1000:.1f} s"]
    lines += _notes(done)
    if result.aggregate.metrics:
        lines += ["", text.fields(result.aggregate.metrics.items()), ""]
    if output is not None:
        return "\n".join([*lines, f"results are in {output}"])
    rows = [(row.index + 1, row.error or json.dumps(_brief(row), ensure_ascii=False)) for row in result.rows]
    return "\n".join([*lines, "", text.table(("row", "result"), rows)])


def _notes(done: Finished) -> list[str]:
    """What whoever ran it should know beside the rows."""
    result = done.result
    resumed = sum(row.resumed for row in result.rows)
    said = [
        f"run {done.run.name} is kept; `opsloop flow runs show {done.run.name}` shows it",
        f"finished before and taken as they are: {_rows(resumed)}" if resumed else "",
        f"damaged lines of the journal, whose work was done again: {result.damaged}" if result.damaged else "",
        f"left out, as run {done.run.run} has no outputs for them: {_rows(len(result.left_out))}"
        if result.left_out
        else "",
        f"answers of models that came from the cache: {result.from_cache}" if result.from_cache else "",
        tokens_in_words(result.tokens),
        f"the aggregation failed: {result.aggregate_error}" if result.aggregate_error is not None else "",
        *done.run.warnings,
    ]
    return [line for line in said if line]


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def tokens_in_words(tokens: TokenUse) -> str:
    """What was used; a call that no server counted is told, and never 0 tokens."""
    if not tokens.calls:
        return ""
    calls = f"{tokens.calls} model call{'s' if tokens.calls > 1 else ''}"
    if tokens.uncounted_calls == tokens.calls:
        return f"{calls}: tokens unknown, the server counted none"
    counted = f"{calls}: {tokens.prompt} prompt and {tokens.completion} completion tokens"
    uncounted, cost_usd = tokens.uncounted_calls, tokens.cost_usd
    return "; ".join(
        [
            counted + (", in part estimated" if tokens.estimated_calls else ""),
            *([f"{uncounted} call{'s were' if uncounted > 1 else ' was'} not counted"] if uncounted else []),
            *([f"cost unknown, {tokens.unpriced_calls} without a price"] if tokens.unpriced_calls else []),
            *([f"{cost_usd:.4f} US dollars"] if cost_usd else []),
        ]
    )


def _brief(row: RowResult) -> dict[str, Any]:
    from opsloop.flows.results import excerpt

    return {name: value if isinstance(value, int | float) else excerpt(value) for name, value in row.outputs.items()}
