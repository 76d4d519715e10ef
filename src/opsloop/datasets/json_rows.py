"""JSON objects as a file of plain JSON lines that DuckDB reads without a doubt, with the columns they make up.

Blocks of lines are decoded by types that fit all rows so far, at the speed of the decoder. What these types do not take
(a new key, a new type, a key twice, broken JSON) is looked at row by row: it widens the columns, or it is an error with
its place. The result is that of looking at every row, only sooner.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from opsloop.datasets.columns import ColumnsFound
from opsloop.datasets.engine import literal, quoted
from opsloop.datasets.errors import FileBroken
from opsloop.datasets.json_text import NotJson, parse
from opsloop.datasets.json_types import Typed, typed
from opsloop.datasets.models import Column, ColumnType
from opsloop.datasets.staging import MISSING, STORED, Staged

_sorted = msgspec.json.Encoder(order="sorted").encode
_lines = msgspec.json.Encoder().encode_lines
_LEAST_OBJECT_BYTES = 16_777_216


class JsonRows:
    """Writes rows to a file, one JSON object a line, nested values as JSON text.

    Args:
        found: takes the columns in; it says where a row stands when one is wrong.
    """

    def __init__(self, path: Path, found: ColumnsFound) -> None:
        self.path = path
        self.found = found
        self.rows = 0
        # Columns that some rows do not have.
        self._optional: set[str] = set()
        # Rows up to this byte were written before the last column was met.
        self._late_bytes = 0
        self._longest = 0
        self._typed: tuple[tuple[int, int], Typed | None] | None = None
        self._file = path.open("wb")

    def __enter__(self) -> JsonRows:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add_block(self, block: bytes, first_line: int) -> None:
        """Take in whole lines of JSON; empty ones are left out. Raises: FileBroken, DatasetTooLarge."""
        kind = self._types()
        lines = kind.encoded(block) if kind is not None and self.rows else None
        if lines is None:
            self.add(_parsed(self.found.file, block, first_line))
        else:
            self.rows += block.count(b"\n")
            self._write(lines)

    def add(self, rows: Iterable[tuple[int, dict[str, Any]]]) -> None:
        """Take in some rows with the numbers of where they stand. Raises: FileBroken, DatasetTooLarge."""
        known, taken = len(self.found.seen), []
        for at, row in rows:
            self.found.add(at, row)
            taken.append((at, row))
        if self.rows and len(self.found.seen) > known:
            self._late_bytes = self._file.tell()
            self._optional.update(list(self.found.seen)[known:])
        for at, row in taken:
            self._write(self._line(at, row))
        self.rows += len(taken)

    def staged(self) -> Staged:
        """The rows, ready to be kept. Raises: FileBroken for names that no column can have."""
        columns = self.found.columns()
        self._file.close()
        numbers = [
            column.name
            for column in columns
            if column.type is ColumnType.JSON and self.found.seen[column.name].kind is not ColumnType.JSON
        ]
        if numbers or self._late_bytes:
            self._complete(frozenset(numbers), self._late_bytes)
        return Staged(_query(self.path, columns, bool(self._optional), self._longest), columns, bool(self._optional))

    def _types(self) -> Typed | None:
        state = (self.found.changes, len(self._optional))
        if self._typed is None or self._typed[0] != state:
            self._typed = (state, typed(self.found.seen, self._optional))
        return self._typed[1]

    def _line(self, at: int, row: dict[str, Any]) -> bytes:
        stored = dict(row)
        try:
            for name, value in row.items():
                if isinstance(value, list | dict):
                    stored[name] = _sorted(value).decode()
            if len(row) < len(self.found.seen):
                absent = [name for name in self.found.seen if name not in row]
                self._optional.update(absent)
                stored[MISSING] = _sorted(absent).decode()
            return _lines([stored])
        except UnicodeEncodeError:
            wanted = "text of whole characters; a lone surrogate (such as \\ud800) is none"
            raise FileBroken(self.found.file, self.found.place(at), wanted) from None

    def _write(self, lines: bytes) -> None:
        # Of a block of lines its length is an upper bound, and near enough.
        self._longest = max(self._longest, len(lines))
        self._file.write(lines)

    def _complete(self, numbers: frozenset[str], late_bytes: int) -> None:
        """Write what was known only later: keys that early rows miss; numbers of mixed columns as the text they are."""
        old = self.path.rename(self.path.with_suffix(".early"))
        with old.open("rb") as lines, self.path.open("wb") as self._file:
            while (numbers or lines.tell() < late_bytes) and (line := lines.readline()):
                row = msgspec.json.decode(line)
                row.pop(MISSING, None)
                texts = {name: _sorted(row[name]).decode() for name in numbers if row.get(name) is not None}
                # Nested values are text already, and stay it.
                self._write(self._line(0, {**row, **texts}))
            while block := lines.read(1 << 20):
                self._file.write(block)
        old.unlink()


def _parsed(file: str, block: bytes, first_line: int) -> Iterable[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(block.decode().split("\n"), start=first_line):
        if not line.strip():
            continue
        try:
            row = parse(line)
        except NotJson as error:
            column = None if error.at is None else error.at + 1
            raise FileBroken(file, f"line {number}", error.reason, column=column) from None
        if not isinstance(row, dict):
            raise FileBroken(file, f"line {number}", "a JSON object on every line", value=row)
        yield number, row


def _query(path: Path, columns: tuple[Column, ...], missing: bool, longest_bytes: int) -> str:
    kinds = {column.name: STORED[column.type].replace("JSON", "VARCHAR") for column in columns}
    chosen = [f"{quoted(column.name)}::{STORED[column.type]} AS {quoted(column.name)}" for column in columns]
    if missing:
        kinds[MISSING] = "VARCHAR"
        chosen.append(quoted(MISSING))
    struct = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in kinds.items())
    return (
        f"SELECT {', '.join(chosen)} FROM read_json({literal(str(path))}, "  # noqa: S608 (names are quoted)
        f"format = 'newline_delimited', columns = {{{struct}}}, "
        f"maximum_object_size = {max(longest_bytes + 1_024, _LEAST_OBJECT_BYTES)})"
    )
