"""`opsloop data`: datasets and their versions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsloop.cli import data_checks, text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.datasets.models import DatasetDiff, DatasetVersion


@noun("data")
def data() -> None:
    """Datasets and their versions."""


for _command in data_checks.COMMANDS:
    data.add_command(_command)


@verb(data, "register", example="opsloop data register golden-questions questions.jsonl --tag golden")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--tag", "tags", multiple=True, metavar="TEXT", help="A tag of this version; may be repeated.")
@click.option("--replace-holdout", metavar="REASON", help="Why held out rows may change or go; put on record.")
def register(session: Session, name: str, file: Path, tags: Sequence[str], replace_holdout: str | None) -> None:
    """Register the rows of FILE as a version of dataset NAME.

    Rows that the dataset has already are the version they were. Personal data in them is reported. Exit code 6 when the
    dataset's expectations are not met, 5 when held out rows would change.
    """
    with session.client() as client:
        version = client.datasets.register(name, file, tags=tags, replace_holdout=replace_holdout)
    if version.pii is not None and version.pii.found:
        session.note(f"{version.ref}: {version.pii}")
    if version.expectations is not None and not version.expectations.met:
        session.note(f"{version.ref}: {version.expectations}")
    session.answer(version, f"{version.ref}: {version.rows} rows, {len(version.schema)} columns")


@verb(data, "list", example="opsloop data list golden-questions")
@click.argument("name", required=False)
def listed(session: Session, name: str | None) -> None:
    """List the versions of dataset NAME; without it, the current version of every dataset."""
    with session.client() as client:
        found = client.datasets.listed() if name is None else client.datasets.versions(name)
    rows = [(each.ref, each.rows, each.tags, each.source, each.created_at, each.created_by) for each in found]
    words = text.table(("version", "rows", "tags", "from", "created", "by"), rows)
    session.answer({"items": found}, words or "no datasets yet; `opsloop data register NAME FILE` makes one")


@verb(data, "show", example="opsloop data show golden-questions@2 --rows 3")
@click.argument("ref", metavar="NAME[@V]")
@click.option("--rows", "count", type=click.IntRange(0), default=0, metavar="N", help="Show the first rows too.")
def show(session: Session, ref: str, count: int) -> None:
    """Show one version: its columns and what is in them. V is a number or a tag.

    Of a dataset whose rows are partly held out only the others are shown; NAME@V/holdout shows those too.
    """
    with session.client() as client:
        version = client.datasets.get(ref)
        shown = f"{version.ref}/dev" if version.parts and not version.part else version.ref
        rows = list(islice(client.datasets.rows(shown), count)) if count else []
    session.answer(
        {"version": version, "rows": rows},
        lambda: "\n".join([_version(version), *(json.dumps(row, ensure_ascii=False) for row in rows)]),
    )


@verb(data, "diff", example="opsloop data diff golden-questions 1 2 --key id")
@click.argument("name")
@click.argument("before")
@click.argument("after")
@click.option("--key", "keys", multiple=True, required=True, metavar="COLUMN", help="What tells rows; may be repeated.")
@click.option("--shown", type=click.IntRange(0, 1000), default=20, show_default=True, help="Rows of each kind to show.")
def diff(session: Session, name: str, before: str, after: str, keys: Sequence[str], shown: int) -> None:
    """Show how version AFTER of dataset NAME differs from version BEFORE, row by row."""
    with session.client() as client:
        found = client.datasets.diff(name, before, after, key=keys, shown=shown)
    session.answer(found, lambda: _diff(found))


@verb(data, "export", example="opsloop data export golden-questions@2 questions.jsonl")
@click.argument("ref", metavar="NAME[@V]")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(session: Session, ref: str, file: Path) -> None:
    """Write the rows of a version to FILE as JSON lines."""
    with session.client() as client:
        version = client.datasets.get(ref)
        with file.open("w", encoding="utf-8") as lines, session.progress("exporting") as progress:
            for number, row in enumerate(client.datasets.rows(version.ref), start=1):
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
                progress(number, version.rows)
    session.answer({"version": version.ref, "file": str(file), "rows": version.rows}, f"{version.rows} rows in {file}")


def _version(version: DatasetVersion) -> str:
    pairs = (
        ("version", version.ref),
        ("rows", version.rows),
        ("tags", version.tags),
        ("from", version.source),
        ("digest", version.digest),
        ("created", f"{text.moment(version.created_at)} by {version.created_by}"),
    )
    types = {column.name: column.type for column in version.schema}
    rows = [
        (each.column, types.get(each.column), each.nulls, each.distinct, each.minimum, each.maximum, each.mean_length)
        for each in version.profile
    ]
    columns = text.table(("column", "type", "nulls", "distinct", "least", "most", "mean length"), rows)
    return "\n".join([text.fields(pairs), "", columns, *_findings(version)])


def _findings(version: DatasetVersion) -> list[str]:
    lines = []
    if version.parts:
        lines.append(f"{version.parts['holdout']:,} of its rows are held out, {version.parts['dev']:,} are not")
    if version.expectations is not None:
        lines.append(str(version.expectations))
    if version.pii is not None:
        lines.append(str(version.pii))
    return ["", *lines] if lines else []


def _diff(found: DatasetDiff) -> str:
    counts = f"{found.added} added, {found.removed} removed, {found.changed} changed, {found.unchanged} the same"
    columns = [
        *(f"+ column {name}" for name in found.added_columns),
        *(f"- column {name}" for name in found.removed_columns),
    ]
    added = [f"+ {json.dumps(row, ensure_ascii=False)}" for row in found.added_rows]
    removed = [f"- {json.dumps(row, ensure_ascii=False)}" for row in found.removed_rows]
    changed = [
        f"~ {', '.join(map(str, row.key))}: {name}: {json.dumps(row.before.get(name), ensure_ascii=False)}"
        f" -> {json.dumps(row.after.get(name), ensure_ascii=False)}"
        for row in found.changed_rows
        for name in row.columns
    ]
    return "\n".join([f"{found.before} -> {found.after}: {counts}", *columns, *added, *removed, *changed])
