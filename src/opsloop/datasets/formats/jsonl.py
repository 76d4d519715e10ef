"""JSON lines: one object a line; empty lines are left out."""

from __future__ import annotations

from pathlib import Path

from opsloop.datasets.columns import ColumnsFound
from opsloop.datasets.errors import FileBroken
from opsloop.datasets.formats.registry import file_format
from opsloop.datasets.json_rows import JsonRows
from opsloop.datasets.json_text import NotJson, parse
from opsloop.datasets.records import Records
from opsloop.datasets.staging import Staged, Staging
from opsloop.datasets.text import blocks, text_of


def staged(place: Staging, path: Path) -> Staged:
    found = ColumnsFound(place.file, lambda at: f"line {at}")
    with JsonRows(place.folder / "rows.jsonl", found) as rows:
        for first_line, block in blocks(place.file, path):
            rows.add_block(block, first_line)
        return rows.staged()


@file_format(".jsonl", ".ndjson", staged=staged)
def json_lines(file: str, data: bytes) -> Records:
    rows, places = [], []
    for number, line in enumerate(text_of(file, data).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = parse(line)
        except NotJson as error:
            column = None if error.at is None else error.at + 1
            raise FileBroken(file, f"line {number}", error.reason, column=column) from None
        if not isinstance(row, dict):
            raise FileBroken(file, f"line {number}", "a JSON object on every line", value=row)
        rows.append(row)
        places.append(number)
    return Records(file, rows, places)
