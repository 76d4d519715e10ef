"""What is in the columns of a snapshot, as a reference for drift and expectations."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from opsloop.datasets.engine import quoted
from opsloop.datasets.models import Column, ColumnProfile, ColumnType, TopValue
from opsloop.datasets.staging import MISSING, row_count

_NUMERIC = (ColumnType.INTEGER, ColumnType.NUMBER)
_NONE = ("NULL", "NULL", "NULL")
_WIDTH = 8
QUANTILES = tuple(percent / 100 for percent in range(0, 101, 5))
_QUANTILE_ROWS = 1_000_000
_SHORT, _TOP = 100, 20
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
    rows = row_count(duck, Path(path))
    return tuple(
        _spread(duck, path, column, rows, _profile(column.name, absent.get(column.name, 0), found[at : at + _WIDTH]))
        for column, at in zip(columns, range(0, len(found), _WIDTH), strict=True)
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


def _spread(duck: Any, path: str, column: Column, rows: int, found: ColumnProfile) -> ColumnProfile:
    """The profile with how the values of the column are spread."""
    if column.type in _NUMERIC and found.distinct:
        return replace(found, quantiles=_quantiles(duck, path, column.name, rows))
    # Where most values are there once, as names of rows are, counting them would tell nothing.
    if column.type is ColumnType.TEXT and 0 < 2 * found.distinct <= rows:
        return replace(found, top=_top(duck, path, column.name))
    return found


def _quantiles(duck: Any, path: str, column: str, rows: int) -> tuple[float, ...]:
    """Of every row, or of each n-th where there are very many."""
    every = max(1, rows // _QUANTILE_ROWS)
    query = (
        f"SELECT quantile_disc({quoted(column)}::DOUBLE, {list(QUANTILES)}) "  # noqa: S608 (names are quoted)
        f"FROM read_parquet(?, file_row_number = true) WHERE file_row_number % {every} = 0"
    )
    return tuple(duck.execute(query, [path]).fetchone()[0] or ())


def _top(duck: Any, path: str, column: str) -> tuple[TopValue, ...]:
    name = quoted(column)
    query = (
        f"SELECT {name}, count(*) FROM read_parquet(?) WHERE length({name}) <= {_SHORT} "  # noqa: S608 (quoted)
        f"GROUP BY 1 HAVING count(*) > 1 ORDER BY 2 DESC, 1 LIMIT {_TOP}"
    )
    # Not every database keeps characters such as a zero.
    return tuple(TopValue(value, rows) for value, rows in duck.execute(query, [path]).fetchall() if value.isprintable())


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
