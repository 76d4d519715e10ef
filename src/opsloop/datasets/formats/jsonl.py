"""JSON lines: one object a line; empty lines are left out."""

from __future__ import annotations

from opsloop.datasets.errors import FileBroken
from opsloop.datasets.formats.registry import file_format
from opsloop.datasets.json_text import NotJson, parse
from opsloop.datasets.records import Records
from opsloop.datasets.text import text_of


@file_format(".jsonl", ".ndjson")
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
