"""Rows of two snapshots, matched by key in DuckDB: what cannot be held in memory goes on in files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from opsloop.datasets.engine import literal, quoted
from opsloop.datasets.models import Column, ColumnType
from opsloop.datasets.staging import MISSING

_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.NUMBER})


@dataclass(frozen=True, slots=True)
class Side:
    """A snapshot to match; `missing` is whether it says of any row that it misses keys."""

    path: Path
    columns: tuple[Column, ...]
    missing: bool


@dataclass(frozen=True, slots=True)
class Matched:
    """Counts of all rows, and the numbers in their files of the first of each kind."""

    added: int
    removed: int
    changed: int
    unchanged: int
    added_rows: tuple[int, ...]
    removed_rows: tuple[int, ...]
    changed_rows: tuple[tuple[int, int], ...]


def twice(duck: Any, side: Side, key: Sequence[str]) -> str | None:
    """The first key that two rows have, as a JSON list; None when there is none."""
    names = ", ".join(quoted(name) for name in key)
    query = (
        f"SELECT {names} FROM {_source(side)} "  # noqa: S608 (names are quoted)
        f"GROUP BY {names} HAVING count(*) > 1 ORDER BY min(file_row_number) LIMIT 1"
    )
    found = duck.execute(query).fetchone()
    return None if found is None else msgspec.json.encode(found).decode()


def matched(duck: Any, before: Side, after: Side, *, key: Sequence[str], shown: int) -> Matched:
    """Match the rows of two snapshots, none of which has a key twice; `shown` of each kind are told."""
    kinds = ({column.name: column.type for column in side.columns} for side in (before, after))
    old, new = kinds
    same_key = " AND ".join(_same(name, old[name], new[name]) for name in key)
    # Rows without a partner have no number on the other side.
    duck.execute(
        "CREATE OR REPLACE TEMP TABLE matched AS "  # noqa: S608 (names are quoted)
        f"SELECT o.file_row_number AS old_row, n.file_row_number AS new_row, "
        f"coalesce({' OR '.join(_differences(before, after)) or 'false'}, false) AS changed "
        f"FROM (SELECT * FROM {_source(before)}) o FULL OUTER JOIN (SELECT * FROM {_source(after)}) n ON {same_key}"
    )
    added, removed, changed, unchanged = duck.execute(
        "SELECT count(*) FILTER (old_row IS NULL), count(*) FILTER (new_row IS NULL), "
        "count(*) FILTER (changed AND old_row IS NOT NULL AND new_row IS NOT NULL), "
        "count(*) FILTER (NOT changed AND old_row IS NOT NULL AND new_row IS NOT NULL) FROM matched"
    ).fetchone()
    return Matched(
        added,
        removed,
        changed,
        unchanged,
        tuple(number for (number,) in _first(duck, "new_row", "old_row IS NULL", "new_row", shown)),
        tuple(number for (number,) in _first(duck, "old_row", "new_row IS NULL", "old_row", shown)),
        tuple(_first(duck, "old_row, new_row", "changed AND old_row + new_row IS NOT NULL", "new_row", shown)),
    )


def _first(duck: Any, columns: str, condition: str, order: str, shown: int) -> list[tuple[Any, ...]]:
    query = f"SELECT {columns} FROM matched WHERE {condition} ORDER BY {order} LIMIT {shown}"  # noqa: S608 (ours)
    found: list[tuple[Any, ...]] = duck.execute(query).fetchall()
    return found


def _source(side: Side) -> str:
    return f"read_parquet({literal(str(side.path))}, file_row_number = true)"


def _differences(before: Side, after: Side) -> Iterator[str]:
    """Conditions, one of which holds when a row differs; a row without a key differs from one where it is null."""
    old = {column.name: column.type for column in before.columns}
    new = {column.name: column.type for column in after.columns}
    for name in dict.fromkeys([*old, *new]):
        if name in old and name in new:
            yield f"NOT ({_same(name, old[name], new[name])})"
            if before.missing or after.missing:
                yield f"({_is_there('o', before, name)}) <> ({_is_there('n', after, name)})"
        else:
            yield _is_there("o", before, name) if name in old else _is_there("n", after, name)


def _same(name: str, old: ColumnType, new: ColumnType) -> str:
    one, other = f"o.{quoted(name)}", f"n.{quoted(name)}"
    if old is new or {old, new} == _NUMBERS:
        return f"{one} IS NOT DISTINCT FROM {other}"
    # Values of different types are never equal, but both may be null.
    return f"({one} IS NULL AND {other} IS NULL)"


def _is_there(side: str, version: Side, name: str) -> str:
    if not version.missing:
        return "true"
    absent = f"from_json({side}.{quoted(MISSING)}, '[\"VARCHAR\"]')"
    return f"NOT coalesce(list_contains({absent}, {literal(name)}), false)"
