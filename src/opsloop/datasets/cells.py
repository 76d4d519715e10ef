"""Text cells as typed columns: each gets the narrowest type that all of its cells fit."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from opsloop.datasets.columns import MAX_INTEGER, MIN_INTEGER, check_names
from opsloop.datasets.engine import quoted
from opsloop.datasets.models import Column, ColumnType
from opsloop.datasets.staging import STORED, Staged, Staging, written

# Numbers with leading zeros are codes; those with more digits than a float holds are too. Both stay text.
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
NUMBER = r"-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?"
_NUMBER = re.compile(NUMBER)
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_CONVERT: dict[ColumnType, Callable[[str], Any]] = {
    ColumnType.INTEGER: int,
    ColumnType.NUMBER: float,
    ColumnType.BOOLEAN: _BOOLEANS.__getitem__,
}
_SAMPLE = 2_000
_MISFIT = "opsloop: no "


def typed(cells: Iterable[str]) -> list[Any]:
    """The cells of a column as values; an empty one is None."""
    cells = list(cells)
    convert = _CONVERT.get(type_of(cells), str)
    return [None if cell == "" else convert(cell) for cell in cells]


def type_of(cells: Iterable[str | None]) -> ColumnType:
    """Whole number, number, boolean or text; empty when no cell is filled."""
    filled = {cell for cell in cells if cell}
    if not filled:
        return ColumnType.EMPTY
    if all(map(_is_integer, filled)):
        return ColumnType.INTEGER
    if all(map(_is_number, filled)):
        return ColumnType.NUMBER
    return ColumnType.BOOLEAN if filled <= _BOOLEANS.keys() else ColumnType.TEXT


def staged_cells(place: Staging, source: str, names: Mapping[str, str]) -> Staged:
    """What stands in columns of text, null where a cell is empty, ready to be kept.

    The types are guessed from the first rows and checked on all while they are written; a wrong guess costs a second
    look at everything.

    Args:
        source: what to select from.
        names: of the columns, by their names in the source.
    Raises: FileBroken for names that no column can have; errors of DuckDB's reader.
    """
    import duckdb  # loaded by `connected`

    check_names(place.file, list(names.values()))
    first = place.duck.execute(f"SELECT {', '.join(names)} FROM {source} LIMIT {_SAMPLE}").fetchall()  # noqa: S608
    types = [type_of(cells) for cells in zip(*first, strict=True)] or [ColumnType.EMPTY] * len(names)
    try:
        path = _written(place, source, names, types)
    except duckdb.Error as error:
        if _MISFIT not in str(error):
            raise
        types = _looked_up(place, source, list(names))
        path = _written(place, source, names, types)
    columns = tuple(Column(name, type) for name, type in zip(names.values(), types, strict=True))
    return Staged("", columns, path=path)


def _written(place: Staging, source: str, names: Mapping[str, str], types: list[ColumnType]) -> Path:
    chosen = [
        f"{_checked(cell, type)}::{STORED[type]} AS {quoted(name)}"
        for (cell, name), type in zip(names.items(), types, strict=True)
    ]
    return written(place, f"SELECT {', '.join(chosen)} FROM {source}")  # noqa: S608 (names are quoted)


def _looked_up(place: Staging, source: str, cells: list[str]) -> list[ColumnType]:
    """The types by all rows."""
    asked = (ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.BOOLEAN)
    parts = [f"count({cell}), {', '.join(f'bool_and({_fits(cell, type)})' for type in asked)}" for cell in cells]
    found = place.duck.execute(f"SELECT {', '.join(parts)} FROM {source}").fetchone()  # noqa: S608
    types = []
    for at in range(0, len(found), 1 + len(asked)):
        fitting = [type for type, fits in zip(asked, found[at + 1 : at + 1 + len(asked)], strict=True) if fits]
        types.append((fitting or [ColumnType.TEXT])[0] if found[at] else ColumnType.EMPTY)
    return types


def _checked(cell: str, type: ColumnType) -> str:
    """The cell as a value; DuckDB stops at one that does not fit."""
    if type is ColumnType.TEXT:
        return cell
    misfit = f"error('{_MISFIT}{type}: ' || {cell})"
    if type is ColumnType.EMPTY:
        return f"CASE WHEN {cell} IS NULL THEN NULL ELSE {misfit} END"
    value = f"{cell}::{STORED[type]}"
    return f"CASE WHEN {cell} IS NULL THEN NULL WHEN {_fits(cell, type)} THEN {value} ELSE {misfit} END"


def _fits(cell: str, type: ColumnType) -> str:
    match type:
        case ColumnType.INTEGER:
            return f"coalesce(TRY_CAST({cell} AS BIGINT)::VARCHAR = {cell}, {cell} IS NULL)"
        case ColumnType.NUMBER:
            fits = f"regexp_full_match({cell}, '{NUMBER}') AND coalesce(isfinite(TRY_CAST({cell} AS DOUBLE)), false)"
            return f"({cell} IS NULL OR ({fits}))"
        case _:
            return f"({cell} IS NULL OR {cell} IN ({', '.join(map(repr, _BOOLEANS))}))"


def _is_integer(cell: str) -> bool:
    return _INTEGER.fullmatch(cell) is not None and MIN_INTEGER <= int(cell) <= MAX_INTEGER


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None and math.isfinite(float(cell))
