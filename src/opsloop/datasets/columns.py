"""Types of columns: found from the rows, all of which must fit."""

from __future__ import annotations

import math
from typing import Any

from opsloop.datasets.errors import DatasetTooLarge, FileBroken
from opsloop.datasets.models import Column, ColumnType
from opsloop.datasets.records import Records

COLUMNS_LIMIT = 2_000
NAME_LIMIT = 200
RESERVED = "_opsloop"
_EXACT_IN_FLOAT = 2**53
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**63 - 1
_NOUNS = {
    ColumnType.TEXT: "text",
    ColumnType.INTEGER: "a number",
    ColumnType.NUMBER: "a number",
    ColumnType.BOOLEAN: "true or false",
    ColumnType.JSON: "a list or an object",
}


def columns_of(records: Records) -> tuple[Column, ...]:
    """The columns in order of appearance, with their types.

    Whole and broken numbers in one column make it `number`, unless a whole one would lose digits: then `json`.
    Raises: FileBroken naming the row and column that does not fit.
    """
    found: dict[str, _Seen] = {name: _Seen() for name in records.columns}
    for index, row in enumerate(records.rows):
        for name, value in row.items():
            if name not in found:
                found[name] = _Seen()
                _check_count(records, found)
            found[name].add(records, index, name, value)
    _check_names(records, list(found))
    return tuple(Column(name, seen.type()) for name, seen in found.items())


class _Seen:
    """What the values of a column were so far."""

    def __init__(self) -> None:
        self.kind = ColumnType.EMPTY
        self.first = 0
        self.any_float = False
        self.any_wide = False
        self.any_huge = False

    def add(self, records: Records, index: int, name: str, value: Any) -> None:
        if value is None:
            return
        kind = _kind(value)
        if kind is ColumnType.INTEGER:
            self.any_wide |= abs(value) > _EXACT_IN_FLOAT
            self.any_huge |= not _MIN_INTEGER <= value <= _MAX_INTEGER
        elif kind is ColumnType.NUMBER:
            if not math.isfinite(value):
                raise FileBroken(
                    records.file, records.place(index), "a finite number or null", column=name, value=value
                )
            self.any_float = True
            kind = ColumnType.INTEGER  # one family, told apart at the end
        if self.kind is ColumnType.EMPTY:
            self.kind, self.first = kind, index
        elif kind is not self.kind:
            wanted = f"{_NOUNS[self.kind]}, as in {records.place(self.first)}; a column holds one type"
            raise FileBroken(records.file, records.place(index), wanted, column=name, value=value)

    def type(self) -> ColumnType:
        if self.kind is not ColumnType.INTEGER:
            return self.kind
        if self.any_huge or (self.any_float and self.any_wide):
            return ColumnType.JSON
        return ColumnType.NUMBER if self.any_float else ColumnType.INTEGER


def _kind(value: Any) -> ColumnType:
    if isinstance(value, str):
        return ColumnType.TEXT
    if isinstance(value, bool):
        return ColumnType.BOOLEAN
    if isinstance(value, int):
        return ColumnType.INTEGER
    if isinstance(value, float):
        return ColumnType.NUMBER
    return ColumnType.JSON


def _check_count(records: Records, found: dict[str, _Seen]) -> None:
    if len(found) > COLUMNS_LIMIT:
        raise DatasetTooLarge(file=records.file, what=f"over {COLUMNS_LIMIT} columns", limit=f"{COLUMNS_LIMIT}")


def _check_names(records: Records, names: list[str]) -> None:
    if not names:
        raise FileBroken(records.file, "the file", "at least one column")
    folded: dict[str, str] = {}
    for name in names:
        if not name.strip() or len(name) > NAME_LIMIT or not name.isprintable() or name.startswith(RESERVED):
            wanted = f"column names of 1 to {NAME_LIMIT} printable characters that do not start with {RESERVED}"
            raise FileBroken(records.file, "the file", wanted, column=name)
        other = folded.setdefault(name.casefold(), name)
        if other != name:
            wanted = f"column names that differ in more than case ({other!r} is there too)"
            raise FileBroken(records.file, "the file", wanted, column=name)
