"""Types of columns: found from the rows, all of which must fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from opsloop.datasets.errors import DatasetTooLarge, FileBroken
from opsloop.datasets.models import Column, ColumnType
from opsloop.datasets.records import Records

COLUMNS_LIMIT = 2_000
NAME_LIMIT = 200
RESERVED = "_opsloop"
EXACT_IN_FLOAT = 2**53
MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1
Place = Callable[[int], str]
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
    found = ColumnsFound(records.file, records.place, records.columns)
    for index, row in enumerate(records.rows):
        found.add(index, row)
    return found.columns()


class ColumnsFound:
    """The columns of a file's rows so far.

    Args:
        place: the words for where a row stands: `line 7` for the number that `add` is given.
        names: in the file's order, when the format declares them.
    """

    def __init__(self, file: str, place: Place, names: Iterable[str] = ()) -> None:
        self.file = file
        self.place = place
        self.seen: dict[str, Seen] = {}
        # Counts changes: what was made for the columns as they were can tell that it is old.
        self.changes = 0
        for name in names:
            self._meet(name)

    def add(self, at: int, row: Mapping[str, Any]) -> None:
        """Take a row in. Raises: FileBroken for a value that does not fit the column's others, DatasetTooLarge."""
        for name, value in row.items():
            found = self.seen.get(name) or self._meet(name)
            if value is not None:
                self.changes += found.add(self, at, name, value)

    def columns(self) -> tuple[Column, ...]:
        """Raises: FileBroken for names that no column can have."""
        check_names(self.file, list(self.seen))
        return tuple(Column(name, seen.type()) for name, seen in self.seen.items())

    def _meet(self, name: str) -> Seen:
        self.changes += 1
        found = self.seen[name] = Seen()
        _check_count(self.file, len(self.seen))
        return found


class Seen:
    """What the values of a column were so far; numbers are one family here, told apart by `type`."""

    __slots__ = ("any_float", "any_huge", "any_wide", "first", "kind")

    def __init__(self) -> None:
        self.kind = ColumnType.EMPTY
        self.first = 0
        self.any_float = False
        self.any_wide = False
        self.any_huge = False

    def add(self, found: ColumnsFound, at: int, name: str, value: Any) -> bool:
        """Take a value in; whether it was news."""
        kind = _kind(value)
        before = (self.kind, self.any_float, self.any_wide, self.any_huge)
        if kind is ColumnType.INTEGER:
            self.any_wide |= abs(value) > EXACT_IN_FLOAT
            self.any_huge |= not MIN_INTEGER <= value <= MAX_INTEGER
        elif kind is ColumnType.NUMBER:
            if not math.isfinite(value):
                raise FileBroken(found.file, found.place(at), "a finite number or null", column=name, value=value)
            self.any_float = True
            kind = ColumnType.INTEGER
        if self.kind is ColumnType.EMPTY:
            self.kind, self.first = kind, at
        elif kind is not self.kind:
            wanted = f"{_NOUNS[self.kind]}, as in {found.place(self.first)}; a column holds one type"
            raise FileBroken(found.file, found.place(at), wanted, column=name, value=value)
        return before != (self.kind, self.any_float, self.any_wide, self.any_huge)

    def type(self) -> ColumnType:
        if self.kind is not ColumnType.INTEGER:
            return self.kind
        if self.any_huge or (self.any_float and self.any_wide):
            return ColumnType.JSON
        return ColumnType.NUMBER if self.any_float else ColumnType.INTEGER


def check_names(file: str, names: list[str]) -> None:
    """Raises: FileBroken for names that no column can have, DatasetTooLarge."""
    _check_count(file, len(names))
    if not names:
        raise FileBroken(file, "the file", "at least one column")
    folded: dict[str, str] = {}
    for name in names:
        if not name.strip() or len(name) > NAME_LIMIT or not name.isprintable() or name.startswith(RESERVED):
            wanted = f"column names of 1 to {NAME_LIMIT} printable characters that do not start with {RESERVED}"
            raise FileBroken(file, "the file", wanted, column=name)
        other = folded.setdefault(name.casefold(), name)
        if other != name:
            wanted = f"column names that differ in more than case ({other!r} is there too)"
            raise FileBroken(file, "the file", wanted, column=name)


def _check_count(file: str, count: int) -> None:
    if count > COLUMNS_LIMIT:
        raise DatasetTooLarge(file=file, what=f"over {COLUMNS_LIMIT} columns", limit=f"{COLUMNS_LIMIT}")


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
