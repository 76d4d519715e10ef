"""JSON: one array of objects."""

from __future__ import annotations

from pathlib import Path

from opsloop.datasets.columns import ColumnsFound
from opsloop.datasets.errors import DatasetTooLarge, FileBroken
from opsloop.datasets.formats.registry import file_format
from opsloop.datasets.json_rows import JsonRows
from opsloop.datasets.json_text import NotJson, parse
from opsloop.datasets.records import Records
from opsloop.datasets.staging import Staged, Staging
from opsloop.datasets.text import text_of

LIMIT_BYTES = 64_000_000


def staged(place: Staging, path: Path) -> Staged:
    if (size_bytes := path.stat().st_size) > LIMIT_BYTES:
        what = f"{size_bytes:,} bytes of one JSON array, which is read in one piece"
        raise DatasetTooLarge(file=place.file, what=what, limit=f"{LIMIT_BYTES:,} bytes; JSON lines (.jsonl) have none")
    found = json_array(place.file, path.read_bytes())
    with JsonRows(place.folder / "rows.jsonl", ColumnsFound(place.file, found.place)) as rows:
        rows.add(enumerate(found.rows))
        return rows.staged()


@file_format(".json", staged=staged)
def json_array(file: str, data: bytes) -> Records:
    text = text_of(file, data)
    try:
        rows = parse(text)
    except NotJson as error:
        if error.at is None:
            raise FileBroken(file, "the file", error.reason) from None
        line = text.count("\n", 0, error.at) + 1
        column = error.at - text.rfind("\n", 0, error.at)
        more = "; one object a line is .jsonl" if "extra data" in error.reason else ""
        raise FileBroken(file, f"line {line}", error.reason + more, column=column) from None
    if not isinstance(rows, list) or not rows:
        raise FileBroken(file, "the file", "an array with at least one object", value=rows)
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise FileBroken(file, f"row {number}", "a JSON object", value=row)
    return Records(file, rows)
