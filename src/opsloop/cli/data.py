"""`opsloop data`: datasets and their versions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsloop.cli import data_checks, data_lakehouse, text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.datasets.models import DatasetDiff, DatasetLineage, DatasetVersion


@noun("data")
def data() -> None:
    """Datasets and their versions."""


for _command in (*data_checks.COMMANDS, *data_lakehouse.COMMANDS):
    data.add_command(_command)


@verb(
    data,
    "register",
    example="""opsloop data register golden-questions questions.jsonl --tag golden
    opsloop data register orders --from "iceberg://prod/sales.orders?columns=id,total\"""",
)
@click.argument("name")
@click.argument("file", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--from", "source", metavar="ADDRESS", help="A table, files or objects that the platform reads itself.")
@click.option("--tag", "tags", multiple=True, metavar="TEXT", help="A tag of this version; may be repeated.")
@click.option("--replace-holdout", metavar="REASON", help="Why held out rows may change or go; put on record.")
def register(
    session: Session,
    name: str,
    file: Path | None,
    source: str | None,
    tags: Sequence[str],
    replace_holdout: str | None,
) -> None:
    """Register the rows of FILE, or of what stands at ADDRESS, as a version of dataset NAME.

    ADDRESS is iceberg://CATALOG/NAMESPACE.TABLE, delta:URL, s3://, gs:// or az://, or a path in the project's folder
    with * in it; ?version=, ?snapshot= or ?as_of= name an earlier state. Credentials come from the environment.

    CSV, TSV, JSON lines, JSON and Parquet are told by the ending. A folder gives a row for each document in it: path,
    media type, size, hash and text.

    Rows that the dataset has already are the version they were. Personal data in them is reported. Exit code 6 when the
    dataset's expectations are not met, 5 when held out rows would change.
    """
    version = _registered(session, name, file, source, tags, replace_holdout)
    if version.pii is not None and version.pii.found:
        session.note(f"{version.ref}: {version.pii}")
    if version.expectations is not None and not version.expectations.met:
        session.note(f"{version.ref}: {version.expectations}")
    session.answer(version, f"{version.ref}: {version.rows} rows, {len(version.schema)} columns")


def _registered(
    session: Session,
    name: str,
    file: Path | None,
    source: str | None,
    tags: Sequence[str],
    replace_holdout: str | None,
) -> DatasetVersion:
    with session.client() as client, session.progress("registering") as progress:
        if source is None and file is not None:
            return client.datasets.register(name, file, tags=tags, replace_holdout=replace_holdout)
        if source is None or file is not None or replace_holdout is not None:
            raise click.UsageError("name either FILE or --from ADDRESS; --replace-holdout goes with FILE")
        from opsloop.client import preparing  # only who reads from elsewhere needs it

        return preparing.import_from(
            client, name, source, tags=tags, tell=lambda run: progress(run.done, run.total, run.message)
        )[1]


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
    """Show one version: its columns and what is in them, what it was made from and who used it.

    V is a number, a tag, a day (2026-11-20: what was current when it ended, UTC) or an instant (2026-11-20T10:00:00Z).
    Of a dataset whose rows are partly held out only the others are shown; NAME@V/holdout shows those too.
    """
    with session.client() as client:
        version = client.datasets.get(ref)
        lineage = client.datasets.lineage(version.ref)
        shown = f"{version.ref}/dev" if version.parts and not version.part else version.ref
        rows = list(islice(client.datasets.rows(shown), count)) if count else []
    session.answer(
        {"version": version, "lineage": lineage, "rows": rows},
        lambda: "\n".join(
            [_version(version), *_lineage(lineage), *(json.dumps(row, ensure_ascii=False) for row in rows)]
        ),
    )


@verb(data, "diff", example="opsloop data diff golden-questions@1 golden-questions@2 --key id")
@click.argument("versions", nargs=-1, required=True, metavar="[NAME] BEFORE AFTER")
@click.option("--key", "keys", multiple=True, required=True, metavar="COLUMN", help="What tells rows; may be repeated.")
@click.option("--shown", type=click.IntRange(0, 1000), default=20, show_default=True, help="Rows of each kind to show.")
def diff(session: Session, versions: Sequence[str], keys: Sequence[str], shown: int) -> None:
    """Show how version AFTER differs from version BEFORE, row by row.

    Versions are whole (golden@1 golden@2), or numbers, tags and times of dataset NAME (golden 1 2).
    """
    name, before, after = _pair(versions)
    with session.client() as client:
        found = client.datasets.diff(name, before, after, key=keys, shown=shown)
    session.answer(found, lambda: _diff(found))


@verb(data, "query", example="opsloop data query 'SELECT topic, count(*) FROM questions GROUP BY topic'")
@click.argument("sql")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "jsonl"]),
    default="table",
    show_default=True,
    help="How to print the rows.",
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Rows at most.")
def query(session: Session, sql: str, form: str, limit: int | None) -> None:
    """Run one SELECT over datasets: their names are its tables, as are versions: "golden@2", "golden@2026-11-20".

    It reads datasets and nothing else, and has limits of time, memory and rows.
    """
    from opsloop.cli import answers  # only this command prints rows in several forms

    with session.client() as client:
        found = client.datasets.query(sql, limit=limit)
    session.answer(found, lambda: answers.FORMS[form](found))
    if found.is_cut:
        session.note(f"the first {len(found.rows)} rows; there are more")


@verb(data, "tag", example="opsloop data tag golden-questions@2 --add golden --remove draft")
@click.argument("ref", metavar="NAME[@V]")
@click.option("--add", "added", multiple=True, metavar="TAG", help="A tag to put on; may be repeated.")
@click.option("--remove", "removed", multiple=True, metavar="TAG", help="A tag to take off; may be repeated.")
def tag(session: Session, ref: str, added: Sequence[str], removed: Sequence[str]) -> None:
    """Put tags on a version and take others off."""
    if not added and not removed:
        raise click.UsageError("say which tags: --add TAG or --remove TAG")
    with session.client() as client:
        version = client.datasets.tag(ref, add=added, remove=removed)
    session.answer(version, f"{version.ref}: {', '.join(version.tags) or 'no tags'}")


@verb(data, "export", example="opsloop data export golden-questions@2 questions.parquet")
@click.argument("ref", metavar="NAME[@V]")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(session: Session, ref: str, file: Path) -> None:
    """Write the rows of a version to FILE: JSON lines, CSV or Parquet by its ending.

    JSON lines come back as they were registered; CSV and Parquet have null for a key that a row does not have.
    """
    with session.client() as client:
        version = client.datasets.get(ref)
        client.datasets.export(version.ref, file)
    session.answer({"version": version.ref, "file": str(file), "rows": version.rows}, f"{version.rows} rows in {file}")


def _pair(versions: Sequence[str]) -> tuple[str, str, str]:
    """The dataset, and the two versions of `golden 1 2` or `golden@1 golden@2`."""
    match versions:
        case [name, before, after] if "@" not in name:
            return name, before, after
        case [before, after] if "@" in before or "@" in after:
            whole = [each if "@" in each else f"{each}@latest" for each in versions]
            return whole[0].partition("@")[0], whole[0], whole[1]
        case _:
            raise click.UsageError("wanted two versions, as in golden@1 golden@2, or a dataset and two: golden 1 2")


def _lineage(found: DatasetLineage) -> list[str]:
    made = [("made from", each.noun, each.target, each.at) for each in found.made_from]
    used = [("used by", each.noun, each.target, each.at) for each in found.used_by]
    return ["", text.table(("lineage", "what", "which", "noted"), made + used)] if made or used else []


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
