"""CSV and TSV: a header line, then one record a row; an empty cell is null."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import msgspec

from opsloop.datasets.cells import staged_cells, typed
from opsloop.datasets.delimited_shape import Shape, shape_of
from opsloop.datasets.engine import literal
from opsloop.datasets.errors import FileBroken
from opsloop.datasets.formats.registry import file_format
from opsloop.datasets.records import Records
from opsloop.datasets.staging import Staged, Staging, row_count
from opsloop.datasets.text import LINE_LIMIT_BYTES, text_of

# A cell may hold a document; the module's own limit is 128 kB for the whole process.
csv.field_size_limit(LINE_LIMIT_BYTES)
_BATCH = 1_000
_LEAST_LINE_BYTES = 2_097_152
_encode_lines = msgspec.json.Encoder().encode_lines


def staged(place: Staging, path: Path) -> Staged:
    delimiter = _delimiter(place.file)
    shape = shape_of(place.file, path, delimiter)
    with path.open(encoding="utf-8-sig", newline="") as text:
        header = next(_lines(place.file, text, delimiter))
    _check_header(place.file, header)
    names = {f"c{number}": name for number, name in enumerate(header.cells)}
    if shape is not None and shape.records > 1 and shape.delimiters == shape.records * (len(names) - 1) > 0:
        found = _by_engine(place, path, delimiter, shape, names)
        if found is not None:
            return found
    return staged_cells(place, _by_record(place, path, delimiter), names)


@file_format(".csv", staged=staged)
def comma_separated(file: str, data: bytes) -> Records:
    return _read(file, data)


@file_format(".tsv", staged=staged)
def tab_separated(file: str, data: bytes) -> Records:
    return _read(file, data)


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    cells: list[str]


def as_text(file: str, data: bytes) -> Records:
    """The rows with each cell as the text that stands there, an empty one too. Raises: FileBroken."""
    header, body = _in_memory(file, data)
    rows: list[dict[str, Any]] = [dict(zip(header.cells, line.cells, strict=True)) for line in body]
    return Records(file, rows, [line.number for line in body], tuple(header.cells))


def _read(file: str, data: bytes) -> Records:
    header, body = _in_memory(file, data)
    columns = [typed(line.cells[place] for line in body) for place in range(len(header.cells))]
    rows = [dict(zip(header.cells, cells, strict=True)) for cells in zip(*columns, strict=True)]
    return Records(file, rows, [line.number for line in body], tuple(header.cells))


def _in_memory(file: str, data: bytes) -> tuple[_Line, list[_Line]]:
    delimiter = _delimiter(file)
    header, *body = _table(file, _lines(file, io.StringIO(text_of(file, data), newline=""), delimiter), delimiter)
    return header, body


def _by_engine(place: Staging, path: Path, delimiter: str, shape: Shape, names: dict[str, str]) -> Staged | None:
    """What DuckDB reads; None when it finds something that needs a closer look."""
    import duckdb  # loaded by `connected`

    kinds = ", ".join(f"{cell}: 'VARCHAR'" for cell in names)
    source = (
        f"read_csv({literal(str(path))}, auto_detect = false, header = true, delim = {literal(delimiter)}, "
        f"quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = true, strict_mode = true, "
        f"columns = {{{kinds}}}, max_line_size = {max(shape.longest_bytes, _LEAST_LINE_BYTES)}, "
        f"parallel = {str(not shape.any_broken_line).lower()})"
    )
    try:
        found = staged_cells(place, source, names)
    except duckdb.Error:
        return None
    return found if row_count(place.duck, found.path) == shape.records - 1 else None


def _by_record(place: Staging, path: Path, delimiter: str) -> str:
    """The cells as a file that DuckDB reads without a doubt. Raises: FileBroken."""
    lines_path, longest, columns = place.folder / "cells.jsonl", 0, 0
    with path.open(encoding="utf-8-sig", newline="") as text, lines_path.open("wb") as lines:
        body = _table(place.file, _lines(place.file, text, delimiter), delimiter)
        columns = len(next(body).cells)
        keys = [f"c{number}" for number in range(columns)]
        while batch := list(islice(body, _BATCH)):
            encoded = _encode_lines([_filled(keys, line.cells) for line in batch])
            longest = max(longest, len(encoded))
            lines.write(encoded)
    kinds = ", ".join(f"{key}: 'VARCHAR'" for key in keys)
    return (
        f"read_json({literal(str(lines_path))}, format = 'newline_delimited', columns = {{{kinds}}}, "
        f"maximum_object_size = {max(longest + 1_024, 16_777_216)})"
    )


def _filled(keys: list[str], cells: list[str]) -> dict[str, str]:
    return {key: cell for key, cell in zip(keys, cells, strict=True) if cell}


def _table(file: str, lines: Iterator[_Line], delimiter: str) -> Iterator[_Line]:
    """The header and the lines below it, each with as many cells; at least one of these."""
    header = next(lines)
    _check_header(file, header)
    yield header
    any_line = False
    for line in lines:
        any_line = True
        if len(line.cells) != len(header.cells):
            wanted = f"{len(header.cells)} cells, as the header has; put quotes around a cell that holds {delimiter!r}"
            raise FileBroken(file, f"line {line.number}", wanted, value=f"{len(line.cells)} cells")
        yield line
    if not any_line:
        raise FileBroken(file, "the file", "at least one row below the header")


def _lines(file: str, text: Iterable[str], delimiter: str) -> Iterator[_Line]:
    """Records with the line each starts at; empty lines are left out."""
    reader = csv.reader(text, delimiter=delimiter, strict=True)
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


def _delimiter(file: str) -> str:
    return "\t" if file.lower().endswith(".tsv") else ","
