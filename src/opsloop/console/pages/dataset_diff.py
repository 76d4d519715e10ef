"""`/datasets/{name}/diff/{a}..{b}?key=`: rows that were added, removed and changed between two versions."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from opsloop.console import words
from opsloop.console.page import Frame, Place, page
from opsloop.console.page_router import PageRouter
from opsloop.core.errors import InvalidInput, OpsloopError
from opsloop.core.web.dependencies import Reading
from opsloop.datasets import diff, service
from opsloop.datasets.models import ChangedRow, DatasetVersion
from opsloop.evaluation.inert_text import inert
from opsloop.evaluation.row_text import shortened
from opsloop.evaluation.word_diff import Sides, sides

router = PageRouter()
SHOWN = 50
COLUMNS = 12
MAX_TEXT = 1_000
_LIKELY = ("id", "key", "uuid", "question_id", "question")


@dataclass(frozen=True, slots=True)
class Cell:
    """A value that changed, both texts marked where they differ."""

    column: str
    sides: Sides


@dataclass(frozen=True, slots=True)
class Changed:
    key: str
    cells: tuple[Cell, ...]


@router.get("/datasets/{name}/diff/{span}")
def shown(
    request: Request, uow: Reading, name: str, span: str, key: Annotated[list[str] | None, Query(max_length=10)] = None
) -> Response:
    """`key` may be repeated; unset: the first column that is likely to name a row."""
    first, second = _versions(span)
    before, after = (service.get(uow, f"{name}@{number}") for number in (first, second))
    wanted = [each for each in key or () if each] or _likely(after)
    found, missing = None, ""
    try:
        found = diff.diff(uow, before.ref, after.ref, key=wanted, shown=SHOWN)
    except OpsloopError as error:  # another key may do, and the page asks for it
        missing = error.sentence
    frame = Frame(
        f"{before.ref} to {after.ref}",
        trail=(Place("Datasets", "/datasets"), Place(after.name, f"/datasets/{words.segment(after.name)}")),
        cli=f"opsloop data diff {name} {first} {second} {' '.join(f'--key {shlex.quote(each)}' for each in wanted)}",
        json=f"/api/datasets/{words.segment(name)}/diff?before={first}&after={second}&"
        + "&".join(f"key={words.segment(each)}" for each in wanted),
    )
    return page(
        request,
        "dataset_diff.html",
        frame,
        before=before,
        after=after,
        found=found,
        missing=missing,
        key=wanted,
        columns=[column.name for column in after.schema],
        wide=[column.name for column in after.schema[:COLUMNS]],
        old_wide=[column.name for column in before.schema[:COLUMNS]],
        changed=[_changed(each) for each in found.changed_rows] if found else [],
        limit=SHOWN,
        now=uow.clock.now(),
    )


def _versions(span: str) -> tuple[str, str]:
    before, dots, after = span.partition("..")
    if not (dots and before and after):
        raise InvalidInput(field="versions", value=span, wanted="two versions such as 1..2")
    return before, after


def _likely(version: DatasetVersion) -> list[str]:
    names = [column.name for column in version.schema]
    return [next((name for name in _LIKELY if name in names), names[0])] if names else []


def _changed(row: ChangedRow) -> Changed:
    cells = tuple(Cell(name, sides(_text(row.before.get(name)), _text(row.after.get(name)))) for name in row.columns)
    return Changed(", ".join(_text(part) for part in row.key), cells)


def _text(value: object) -> str:
    text = value if isinstance(value, str) else words.NONE if value is None else words.pretty(value)
    return shortened(inert(text), MAX_TEXT)
