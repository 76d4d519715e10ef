"""CSV and TSV: a header line, then one record a row; an empty cell is null, and every cell comes out as it stood."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import msgspec

from opsloop.core.errors import shown
from opsloop.datasets.errors import FileBroken
from opsloop.datasets.text import LINE_LIMIT_BYTES
from opsloop.models.files.rows import FileFormat, Given, Row, Sink

csv.field_size_limit(LINE_LIMIT_BYTES)
_encode = msgspec.json.Encoder().encode


@contextmanager
def opened(path: Path, *, delimiter: str) -> Iterator[Given]:
    """Raises: FileBroken for a file without a header."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        names = next((cells for cells in reader if cells), None)
        if names is None:
            raise FileBroken(path.name, "the file", "a header line; it is empty")
        if len(set(names)) != len(names) or not all(name.strip() for name in names):
            raise FileBroken(path.name, f"line {reader.line_num}", "a name of its own for every column in the header")
        yield Given(_rows(reader, names), names, is_text=True)


def _rows(reader: Any, names: Sequence[str]) -> Iterator[Row]:
    while True:
        place = f"line {reader.line_num + 1}"
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Row(place, {}, f"wanted a well-formed record ({error})")
            continue
        if cells is None:
            return
        if cells:
            yield _row(place, cells, names)


def _row(place: str, cells: list[str], names: Sequence[str]) -> Row:
    found = dict(zip(names, cells, strict=False))
    if len(cells) != len(names):
        return Row(place, found, f"has {len(cells)} cells; wanted {len(names)}, as the header has")
    for name, value in found.items():
        if not value.isascii() and any("\udc80" <= letter <= "\udcff" for letter in value):
            return Row(place, found, f"column {name!r} is {shown(value)}; wanted UTF-8 text")
    return Row(place, found)


class _Lines:
    def __init__(self, file: IO[str], names: Sequence[str] | None, delimiter: str) -> None:
        self._writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        self._names = names
        if names is not None:
            self._writer.writerow(names)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        if self._names is None and rows:
            self._names = list(rows[0])
            self._writer.writerow(self._names)
        for row in rows:
            self._writer.writerow([_cell(row.get(name)) for name in self._names or ()])


@contextmanager
def written(path: Path, names: Sequence[str] | None, *, delimiter: str) -> Iterator[Sink]:
    """Args: names: None: those of the first row; what another row has beside them is left out."""
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        yield _Lines(file, names, delimiter)


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return _encode(value).decode()


FORMATS = {
    ending: FileFormat(partial(opened, delimiter=mark), partial(written, delimiter=mark))
    for ending, mark in ((".csv", ","), (".tsv", "\t"))
}
