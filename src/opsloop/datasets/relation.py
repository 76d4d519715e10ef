"""Rows that DuckDB can read already (a Parquet file, a query), as a snapshot keeps them.

Numbers, text and booleans stay as they are; dates and times become ISO text; nested columns become JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from opsloop.datasets.columns import ColumnsFound, check_names
from opsloop.datasets.engine import quoted
from opsloop.datasets.errors import FileBroken
from opsloop.datasets.json_rows import JsonRows
from opsloop.datasets.json_text import NotJson, parse
from opsloop.datasets.models import Column, ColumnType
from opsloop.datasets.staging import STORED, Staged, Staging

_BATCH = 1_024
_WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"})
# Whole numbers that 64 bits with a sign may not hold.
_LARGE = frozenset({"UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM"})
_BROKEN = frozenset({"FLOAT", "DOUBLE"})
_AS_TEXT = ("DATE", "TIME", "TIMESTAMP", "UUID", "ENUM", "INTERVAL")
_AS_JSON = ("JSON", "STRUCT", "MAP", "VARIANT")


def staged_relation(place: Staging, source: str) -> Staged:
    """What `SELECT * FROM source` gives, ready to be kept.

    Raises: FileBroken naming row and column of what cannot be kept, DatasetTooLarge.
    """
    described = place.duck.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608 (the source is ours)
    kinds = {name: kind for name, kind, *_ in described}
    check_names(place.file, list(kinds))
    types = {name: _type(place.file, name, kind) for name, kind in kinds.items()}
    if any(type is ColumnType.JSON for type in types.values()):
        return _row_by_row(place, source, kinds, types)
    return _as_they_are(place, source, types)


def _as_they_are(place: Staging, source: str, types: Mapping[str, ColumnType]) -> Staged:
    counts = [f"count({quoted(name)})" for name in types]
    odd = [
        f"count(*) FILTER (NOT isfinite({quoted(name)}))" if type is ColumnType.NUMBER else "0"
        for name, type in types.items()
    ]
    query = f"SELECT count(*), {', '.join(counts + odd)} FROM {source}"  # noqa: S608 (names are quoted)
    rows, *found = place.duck.execute(query).fetchone()
    if not rows:
        raise FileBroken(place.file, "the file", "at least one row")
    for name, count in zip(types, found[len(types) :], strict=True):
        if count:
            raise _not_finite(place, source, name)
    filled = dict(zip(types, found[: len(types)], strict=True))
    columns = tuple(Column(name, type if filled[name] else ColumnType.EMPTY) for name, type in types.items())
    chosen = ", ".join(f"{quoted(each.name)}::{STORED[each.type]} AS {quoted(each.name)}" for each in columns)
    return Staged(f"SELECT {chosen} FROM {source}", columns)  # noqa: S608 (names are quoted)


def _not_finite(place: Staging, source: str, name: str) -> FileBroken:
    query = (
        f"SELECT row, value FROM (SELECT row_number() OVER () AS row, {quoted(name)} AS value FROM {source}) "  # noqa: S608
        "WHERE NOT isfinite(value) ORDER BY row LIMIT 1"
    )
    row, value = place.duck.execute(query).fetchone()
    return FileBroken(place.file, f"row {row}", "a finite number or null", column=name, value=value)


def _row_by_row(place: Staging, source: str, kinds: Mapping[str, str], types: Mapping[str, ColumnType]) -> Staged:
    """What has columns whose values only a look at each can tell: nested ones, and numbers of over 64 bits."""
    chosen = ", ".join(_expression(name, kinds[name], type) for name, type in types.items())
    found = place.duck.execute(f"SELECT {chosen} FROM {source}")  # noqa: S608 (names are quoted)
    columns = ColumnsFound(place.file, lambda at: f"row {at}", types)
    nested = [name for name, kind in kinds.items() if _is_nested(kind)]
    with JsonRows(place.folder / "rows.jsonl", columns) as lines:
        while batch := found.fetchmany(_BATCH):
            rows = (dict(zip(types, values, strict=True)) for values in batch)
            lines.add(_parsed(place.file, lines.rows + 1, rows, nested))
        if not lines.rows:
            raise FileBroken(place.file, "the file", "at least one row")
        return lines.staged()


def _parsed(
    file: str, first: int, rows: Iterable[dict[str, Any]], nested: Sequence[str]
) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, row in enumerate(rows, start=first):
        for name in nested:
            if (text := row[name]) is not None:
                try:
                    row[name] = parse(text)
                except NotJson as error:
                    raise FileBroken(file, f"row {number}", error.reason, column=name) from None
        yield number, row


def _type(file: str, name: str, kind: str) -> ColumnType:
    if _is_nested(kind) or kind in _LARGE:
        return ColumnType.JSON
    if kind in _WHOLE:
        return ColumnType.INTEGER
    if kind in _BROKEN or kind.startswith("DECIMAL"):
        return ColumnType.NUMBER
    if kind == "BOOLEAN":
        return ColumnType.BOOLEAN
    if kind == "VARCHAR" or kind.startswith(_AS_TEXT):
        return ColumnType.TEXT
    wanted = "numbers, text, booleans, dates or nested columns of them"
    raise FileBroken(file, "the file", wanted, column=name, value=kind)


def _expression(name: str, kind: str, type: ColumnType) -> str:
    if _is_nested(kind):
        return f"to_json({quoted(name)})::VARCHAR"
    return quoted(name) if kind in _LARGE else f"{quoted(name)}::{STORED[type]}"


def _is_nested(kind: str) -> bool:
    return kind.startswith(_AS_JSON) or kind.endswith("]")
