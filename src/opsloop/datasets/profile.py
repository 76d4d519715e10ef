"""What is in the columns of a snapshot, counted in one pass."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.datasets.engine import quoted
from opsloop.datasets.models import Column, ColumnProfile, ColumnType

_NUMERIC = (ColumnType.INTEGER, ColumnType.NUMBER)
_NONE = ("NULL", "NULL", "NULL")
_WIDTH = 8


def profile_of(
    duck: Any, path: str, columns: Sequence[Column], missing: Mapping[str, int]
) -> tuple[ColumnProfile, ...]:
    """Profiles in the order of the columns.

    Args:
        duck: a DuckDB connection.
        path: of the Parquet file.
        missing: rows without the key, by column.
    """
    expressions = ", ".join(part for column in columns for part in _expressions(column))
    found = duck.execute(f"SELECT {expressions} FROM read_parquet(?)", [path]).fetchone()  # noqa: S608 (quoted)
    return tuple(
        _profile(column.name, missing[column.name], found[start : start + _WIDTH])
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
