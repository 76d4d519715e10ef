"""CSV and TSV: a header line, then one record a row; an empty cell is null."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from opsloop.datasets.errors import FileBroken
from opsloop.datasets.formats.registry import file_format
from opsloop.datasets.records import Records
from opsloop.datasets.text import text_of

# A cell may hold a document; the module's own limit is 128 kB for the whole process.
csv.field_size_limit(2**31 - 1)

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


@file_format(".csv")
def comma_separated(file: str, data: bytes) -> Records:
    return _read(file, data, ",")


@file_format(".tsv")
def tab_separated(file: str, data: bytes) -> Records:
    return _read(file, data, "\t")


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    cells: list[str]


def as_text(file: str, data: bytes) -> Records:
    """The rows with each cell as the text that stands there, an empty one too. Raises: FileBroken."""
    header, body = _table(file, data, "\t" if file.lower().endswith(".tsv") else ",")
    rows: list[dict[str, Any]] = [dict(zip(header.cells, line.cells, strict=True)) for line in body]
    return Records(file, rows, [line.number for line in body], tuple(header.cells))


def _read(file: str, data: bytes, delimiter: str) -> Records:
    header, body = _table(file, data, delimiter)
    columns = [_typed([line.cells[place] for line in body]) for place in range(len(header.cells))]
    rows = [dict(zip(header.cells, cells, strict=True)) for cells in zip(*columns, strict=True)]
    return Records(file, rows, [line.number for line in body], tuple(header.cells))


def _table(file: str, data: bytes, delimiter: str) -> tuple[_Line, list[_Line]]:
    """The header, and the lines below it, each with as many cells."""
    lines = _lines(file, text_of(file, data), delimiter)
    header = next(lines)
    _check_header(file, header)
    body = []
    for line in lines:
        if len(line.cells) != len(header.cells):
            wanted = f"{len(header.cells)} cells, as the header has; put quotes around a cell that holds {delimiter!r}"
            raise FileBroken(file, f"line {line.number}", wanted, value=f"{len(line.cells)} cells")
        body.append(line)
    if not body:
        raise FileBroken(file, "the file", "at least one row below the header")
    return header, body


def _lines(file: str, text: str, delimiter: str) -> Iterator[_Line]:
    """Records with the line each starts at; empty lines are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    start = 1
    try:
        for cells in reader:
            if cells:
                yield _Line(start, cells)
            start = reader.line_num + 1
    except csv.Error as error:
        reason = "a closing quote" if "unexpected end" in str(error) else f"a well-formed record ({error})"
        raise FileBroken(file, f"line {start}", reason) from None


def _check_header(file: str, header: _Line) -> None:
    place = f"line {header.number}"
    for number, name in enumerate(header.cells, start=1):
        if not name.strip():
            raise FileBroken(file, place, "a name for every column in the header", column=number, value=name)
    for first, second in pairwise(sorted(header.cells)):
        if first == second:
            raise FileBroken(file, place, f"column names that differ; {first!r} is there twice", column=first)


def _typed(cells: list[str]) -> list[Any]:
    """The cells of a column in the narrowest type that all of them fit: whole number, number, boolean or text.

    Numbers with leading zeros stay text: they are codes, and would not come back as they were.
    """
    filled = {cell for cell in cells if cell != ""}
    convert: Callable[[str], Any] = str
    if filled and all(map(_INTEGER.fullmatch, filled)):
        convert = int
    elif filled and all(map(_NUMBER.fullmatch, filled)):
        convert = float
    elif filled and filled <= _BOOLEANS.keys():
        convert = _BOOLEANS.__getitem__
    return [None if cell == "" else convert(cell) for cell in cells]
