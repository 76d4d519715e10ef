"""`opsloop release diff`, and the whole history of an endpoint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

if TYPE_CHECKING:
    from opsloop.releases.diff_models import FileChange, ReleaseDiff, ValueChange


@lone("diff", example="opsloop release diff support-chat 3 4")
@click.argument("endpoint")
@click.argument("before", type=click.IntRange(1))
@click.argument("after", type=click.IntRange(1))
def diff(session: Session, endpoint: str, before: int, after: int) -> None:
    """Show what release AFTER of ENDPOINT changed over release BEFORE: files, config, lineage, figures."""
    with session.client() as client:
        found = client.endpoints.diff(endpoint, before, after)
    session.answer(found, lambda: _words(found))


def _words(found: ReleaseDiff) -> str:
    head = f"release {found.before.number} ({found.before.serves}) -> {found.after.number} ({found.after.serves})"
    parts = [head if not found.is_empty else f"{head}: the same"]
    if found.config:
        parts.append("\n".join(["config", *map(_value, found.config)]))
    if found.lineage:
        parts.append("\n".join(["behind it", *map(_value, found.lineage)]))
    if found.figures:
        rows = [(each.name, each.before, each.after) for each in found.figures]
        parts.append(text.table(("figure", f"release {found.before.number}", f"release {found.after.number}"), rows))
    parts += [_file(each) for each in found.files]
    return "\n\n".join([*parts, *([found.cut] if found.cut else [])])


def _value(change: ValueChange) -> str:
    return text.plain(f"  {change.path}: {json.dumps(change.before)} -> {json.dumps(change.after)}")


def _file(change: FileChange) -> str:
    head = f"{change.path} {change.change}, +{change.added} -{change.removed} lines"
    return text.plain("\n".join([head, *change.lines, *([change.missing] if change.missing else [])]))


COMMANDS = (diff,)
