"""`opsloop flow runs`: the batch runs that are kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from opsloop.cli import text
from opsloop.cli.flow.batch import tokens_in_words
from opsloop.cli.flow.loading import runs_place
from opsloop.cli.flow.noun import flow
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.flows.batch_run_folder import BatchRun


@noun("runs")
def runs() -> None:
    """Batch runs of flows: what ran, how it went, what came out."""


flow.add_command(runs)


@verb(runs, "list", example="opsloop flow runs list")
def listed(session: Session) -> None:
    """List the batch runs of this project, the newest first."""
    from opsloop.flows import batch_runs

    found = batch_runs.listed(runs_place(session))
    rows = [
        (
            each.name,
            each.flow_name,
            each.status.value,
            each.completed_rows,
            each.failed_rows,
            each.rows,
            each.created_at,
        )
        for each in found
    ]
    words = text.table(("run", "flow", "status", "completed", "failed", "rows", "created"), rows)
    none = "no batch runs yet; `opsloop flow batch DIR --data FILE` makes one"
    session.answer({"items": [_document(each) for each in found]}, words or none)


@verb(
    runs,
    "show",
    example="""opsloop flow runs show monday
    opsloop flow runs show monday --rows 0""",
)
@click.argument("name")
@click.option(
    "--rows",
    "limit",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="How many rows to show; JSON has all.",
)
def show(session: Session, name: str, limit: int) -> None:
    """Show batch run NAME: how it went, its metrics, and its rows with inputs and outputs."""
    from opsloop.flows import batch_runs
    from opsloop.flows.values import plain

    place = runs_place(session)
    run = batch_runs.get(place, name)
    table = batch_runs.details(place, name)
    answer = {**_document(run), "details": plain(table)}
    session.answer(answer, lambda: _words(run, table, limit))


def _document(run: BatchRun) -> dict[str, Any]:
    from dataclasses import fields

    from opsloop.flows.values import plain

    values = {each.name: getattr(run, each.name) for each in fields(run)}
    return {name: str(value) if name in ("flow", "folder", "journal") and value else value for name, value in {
        **values,
        "created_at": run.created_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at is not None else None,
        "status": run.status.value,
        "tokens": plain(run.tokens),
        "metrics": plain(dict(run.metrics)),
        "column_mapping": plain(dict(run.column_mapping)),
    }.items()}  # fmt: skip


def _words(run: BatchRun, table: list[dict[str, Any]], limit: int) -> str:
    facts = [
        ("run", run.name),
        ("flow", run.flow),
        ("status", run.status.value),
        ("data", run.data),
        ("of run", run.run),
        ("created", run.created_at),
        ("ended", run.ended_at),
        ("rows", f"{run.completed_rows} completed, {run.failed_rows} failed, {run.left_out} left out of {run.rows}"),
        ("tokens", tokens_in_words(run.tokens)),
        ("error", run.error),
        ("folder", run.folder),
        *[("warning", each) for each in run.warnings],
    ]
    parts = [text.fields([(name, value) for name, value in facts if value])]
    if run.metrics:
        parts.append(text.fields(run.metrics.items()))
    if table and limit:
        columns = list(table[0])
        shown = [[_brief(row[column]) for column in columns] for row in table[:limit]]
        parts.append(text.table(columns, shown))
    if len(table) > limit:
        parts.append(f"{len(table) - limit} more rows; `--rows {len(table)}` shows all")
    return "\n\n".join(parts)


def _brief(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return words if len(words) <= 60 else f"{words[:59]}…"
