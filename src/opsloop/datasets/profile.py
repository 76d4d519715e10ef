"""What is in the columns of a snapshot, counted in one pass."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from opsloop.datasets.engine import quoted
from opsloop.datasets.models import Column, ColumnProfile, ColumnType
from opsloop.datasets.staging import MISSING

_NUMERIC = (ColumnType.INTEGER, ColumnType.NUMBER)
_NONE = ("NULL", "NULL", "NULL")
_WIDTH = 8
_BATCH = 1_024


def profile_of(duck: Any, path: str, columns: Sequence[Column], *, missing: bool) -> tuple[ColumnProfile, ...]:
    """Profiles in the order of the columns.

    Args:
        duck: a DuckDB connection.
        path: of the Parquet file.
        missing: whether it says which rows do not have which keys.
    """
    expressions = ", ".join(part for column in columns for part in _expressions(column))
    found = duck.execute(f"SELECT {expressions} FROM read_parquet(?)", [path]).fetchone()  # noqa: S608 (quoted)
    absent = _absent(duck, path) if missing else {}
    return tuple(
        _profile(column.name, absent.get(column.name, 0), found[start : start + _WIDTH])
        for column, start in zip(columns, range(0, len(found), _WIDTH), strict=True)
    )


def _profile(column: str, missing: int, found: Sequence[Any]) -> ColumnProfile:
    nulls, distinct, minimum, maximum, mean, shortest, longest, mean_length = found
    return ColumnProfile(
        column=column,
        nulls=nulls,
        missing=missing,
        distinct=distinct,
        minimum=_number(minimum),
        maximum=_number(maximum),
        mean=_number(mean),
        shortest=shortest,
        longest=longest,
        mean_length=mean_length,
    )


def _absent(duck: Any, path: str) -> dict[str, int]:
    """Rows without the key, by column."""
    query = f"SELECT {quoted(MISSING)}, count(*) FROM read_parquet(?) WHERE {quoted(MISSING)} IS NOT NULL GROUP BY 1"  # noqa: S608
    counts: Counter[str] = Counter()
    found = duck.execute(query, [path])
    while batch := found.fetchmany(_BATCH):
        for names, rows in batch:
            for name in msgspec.json.decode(names):
                counts[name] += rows
    return counts


def _number(value: Any) -> float | None:
    # A mean of numbers at the end of the range overflows.
    return float(value) if value is not None and math.isfinite(value) else None


def _expressions(column: Column) -> tuple[str, ...]:
    name = quoted(column.name)
    numbers, lengths = _NONE, _NONE
    if column.type in _NUMERIC:
        numbers = (f"min({name})", f"max({name})", f"avg({name}::DOUBLE)")
    elif column.type is ColumnType.BOOLEAN:
        numbers = ("NULL", "NULL", f"avg({name}::INTEGER)")
    elif column.type is ColumnType.TEXT:
        lengths = (f"min(length({name}))", f"max(length({name}))", f"avg(length({name}))")
    return (f"count(*) - count({name})", f"count(DISTINCT {name})", *numbers, *lengths)
