"""`opsloop train`: run pipelines that train models, and look what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.client.http import Client
    from opsloop.training.models import Pipeline, TrainingRun


@noun("train")
def train() -> None:
    """Train models: pipelines and their runs."""


@verb(
    train,
    "run",
    example="""opsloop train run iris --watch
    opsloop train run iris --dataset iris@3 --rows 5000 --force""",
)
@click.argument("pipeline")
@click.option("--dataset", metavar="NAME@V", help="Learn from this one; default: what the pipeline declares.")
@click.option("--rows", type=click.IntRange(1), metavar="N", help="Learn from its newest rows only.")
@click.option("--window", metavar="JSON", help='Learn from some rows, such as \'{"days": 90, "column": "at"}\'.')
@click.option("--force", is_flag=True, help="Though neither data nor pipeline changed since the last good run.")
@click.option("--reason", metavar="TEXT", default="", help="Why, for the record.")
@click.option("--watch", is_flag=True, help="Wait for its end and show what came of it.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(0), metavar="SECONDS", help="Wait at most this long.")
def run(
    session: Session,
    pipeline: str,
    dataset: str | None,
    rows: int | None,
    window: str | None,
    force: bool,
    reason: str,
    watch: bool,
    timeout_s: float | None,
) -> None:
    """Train PIPELINE; the new version of its model is the challenger.

    A pipeline of the project's opsloop.yaml is brought to the platform first, as it stands there. With --watch or
    --timeout exit code 1 when it failed, 8 when the time ended first. Without a server it is always waited for.
    """
    chosen = _window(rows, window)
    with session.client() as client, session.progress(f"training {pipeline}") as progress:
        _bring(session, client, pipeline)
        found = client.training.start(pipeline, dataset=dataset, window=chosen, force=force, reason=reason)
        if watch or timeout_s is not None or client.connection.is_in_this_process:
            from opsloop.client import pipelines

            found = client.training.wait(
                found.id, timeout_s=timeout_s, tell=lambda run: progress(run.done, run.total, run.message)
            )
            pipelines.done(found)
    session.answer(found, lambda: _words(found))


@verb(train, "list", example="opsloop train list iris --limit 20")
@click.argument("pipeline", required=False)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, newest first.")
def listed(session: Session, pipeline: str | None, limit: int) -> None:
    """List training runs, newest first; of PIPELINE alone when it is named."""
    with session.client() as client:
        found = client.training.runs(pipeline, limit=limit)
    rows = [
        (each.created_at, each.pipeline, each.trigger, each.status, each.data or each.dataset, each.model, each.id)
        for each in found
    ]
    words = text.table(("at", "pipeline", "trigger", "status", "data", "model", "run"), rows)
    session.answer({"items": found}, words or "no training runs yet; `opsloop train run PIPELINE` makes one")


@verb(train, "show", example="opsloop train show training_01j…")
@click.argument("run")
def show(session: Session, run: str) -> None:
    """Show what RUN learned from, its figures, and the version it made."""
    with session.client() as client:
        found = client.training.run(run)
    session.answer(found, lambda: _words(found))


@verb(train, "pipelines", example="opsloop train pipelines")
def pipelines(session: Session) -> None:
    """List the pipelines that the platform has, with their schedules."""
    with session.client() as client:
        found = client.training.pipelines()
        last = {each.name: client.training.runs(each.name, limit=1) for each in found}
    session.answer({"items": found}, lambda: _pipelines(found, last))


@verb(train, "cancel", example="opsloop train cancel training_01j…")
@click.argument("run")
def cancel(session: Session, run: str) -> None:
    """Stop RUN; it makes no version."""
    with session.client() as client:
        found = client.training.cancel(run)
    session.answer(found, f"{found.id} of {found.pipeline} is cancelled")


def _bring(session: Session, client: Client, pipeline: str) -> None:
    """The platform runs what opsloop.yaml says now, not what it said when it was applied last."""
    wanted = session.project.pipelines.get(pipeline)
    if wanted is not None:
        from opsloop.client import pipelines

        pipelines.put(client, wanted)


def _window(rows: int | None, given: str | None) -> Mapping[str, Any] | None:
    if given is None:
        return None if rows is None else {"rows": rows}
    try:
        found = json.loads(given)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        from opsloop.core.errors import InvalidInput

        raise InvalidInput(field="--window", value=given, wanted="a JSON object")
    return found if rows is None else {**found, "rows": rows}


def _words(run: TrainingRun) -> str:
    pairs: list[tuple[str, object]] = [
        ("run", f"{run.id} of {run.pipeline}@{run.pipeline_version}"),
        ("status", run.status),
        ("trigger", f"{run.trigger}: {run.reason}" if run.reason else run.trigger),
        ("data", f"{run.data or run.dataset}{f', {run.rows:,} rows' if run.rows is not None else ''}"),
    ]
    if run.model is not None:
        pairs.append(("model", run.model))
    if run.error is not None:
        pairs.append(("why", run.error))
    if run.took_s is not None:
        pairs.append(("took", text.duration(run.took_s)))
    pairs += [(name.replace("_", " "), key) for name, key in run.artifacts.items()]
    parts = [text.fields(pairs)]
    if run.metrics:
        parts.append(text.table(("figure", "value"), run.metrics.items()))
    return "\n\n".join(parts)


def _pipelines(found: list[Pipeline], last: Mapping[str, list[TrainingRun]]) -> str:
    def row(each: Pipeline) -> tuple[object, ...]:
        runs = last[each.name]
        return (each.ref, each.schedule or "on demand", each.next_at, *(_last(runs[0]) if runs else (None, None)))

    words = text.table(("pipeline", "schedule (UTC)", "next", "last run", "model"), map(row, found))
    return words or "no pipelines yet; declare one under `pipelines:` in opsloop.yaml and run `opsloop apply`"


def _last(run: TrainingRun) -> tuple[object, object]:
    return f"{run.status} {text.moment(run.created_at)}", run.model
