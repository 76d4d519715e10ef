"""The rows of a dataset version as columns, read from its Parquet file a column at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from opsloop.datasets.engine import connected, literal, quoted
from opsloop.datasets.models import Column, ColumnType
from opsloop.training.errors import DataUnfit
from opsloop.training.pipeline import PipelineSpec
from opsloop.training.table import TEXT_MISSING, Array, ColumnData, Table
from opsloop.training.tabulating import table_of


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows of a version.

    Args:
        newest: only that many, the last as they stand, or the largest in `column`.
        column: with a date or an instant as text, or a number.
        since: only rows with at least this in `column`, as an instant in ISO form.
    """

    newest: int | None = None
    column: str | None = None
    since: str | None = None

    @property
    def is_all(self) -> bool:
        return self.newest is None and self.since is None


def table_in(path: Path, schema: Sequence[Column], spec: PipelineSpec, wanted: Wanted | None = None) -> Table:
    """The table that a pipeline learns from.

    Args:
        path: of the version's Parquet file.
    Raises: PipelineInvalid, DataUnfit, ExtraNeeded.
    """
    known = [column.name for column in schema]
    names = [*spec.features, *spec.apart] if spec.features else known
    # A name that is not there is told by the table, with those that are.
    columns = [column for column in schema if column.name in names or not set(names) <= set(known)]
    return table_of(spec, columns_in(path, columns, wanted or Wanted(), schema))


def columns_in(
    path: Path, columns: Sequence[Column], wanted: Wanted, schema: Sequence[Column] | None = None
) -> list[ColumnData]:
    """Args:
        schema: all columns of the version; default: those to read.
    Raises: DataUnfit when no row is wanted or the window's column is not there, ExtraNeeded.
    """
    with connected() as duck:
        _choose(duck, path, wanted, schema or columns)
        return [_read(duck, column) for column in columns]


def _choose(duck: Any, path: Path, wanted: Wanted, schema: Sequence[Column]) -> None:
    """Name the wanted rows `chosen`, in the order of the file."""
    source = f"read_parquet({literal(str(path))}, file_row_number = true)"
    if wanted.is_all:
        duck.execute(f"CREATE TEMP VIEW chosen AS SELECT * FROM {source}")  # noqa: S608 (quoted)
        return
    place = "file_row_number" if wanted.column is None else _place(wanted, schema)
    held = "" if wanted.since is None else f"AND {place} >= TRY_CAST({literal(wanted.since)} AS TIMESTAMPTZ)"
    most = "" if wanted.newest is None else f"LIMIT {int(wanted.newest)}"
    duck.execute(
        f"CREATE TEMP TABLE wanted AS SELECT file_row_number FROM {source} WHERE {place} IS NOT NULL {held} "  # noqa: S608
        f"ORDER BY {place} DESC, file_row_number DESC {most}"
    )
    if not duck.execute("SELECT count(*) FROM wanted").fetchone()[0]:
        raise DataUnfit(field="window", value=wanted.since, wanted=f"rows; none has a later {wanted.column}")
    duck.execute(
        f"CREATE TEMP VIEW chosen AS SELECT * FROM {source} WHERE file_row_number IN (FROM wanted) "  # noqa: S608
        "ORDER BY file_row_number"
    )


def _place(wanted: Wanted, schema: Sequence[Column]) -> str:
    """What orders rows by a column, in SQL: instants of its text, or its numbers."""
    found = next((column for column in schema if column.name == wanted.column), None)
    if found is None:
        known = ", ".join(column.name for column in schema)
        raise DataUnfit(field="window.column", value=wanted.column, wanted=f"one of the dataset's columns {known}")
    if found.type is ColumnType.TEXT:
        return f"TRY_CAST({quoted(found.name)} AS TIMESTAMPTZ)"
    if wanted.since is not None:
        raise DataUnfit(field="window.column", value=found.name, wanted="a column of dates such as 2026-11-01")
    return quoted(found.name)


def _read(duck: Any, column: Column) -> ColumnData:
    found = duck.execute(f"SELECT {quoted(column.name)} AS value FROM chosen").fetchnumpy()["value"]  # noqa: S608
    missing = np.ma.getmaskarray(found)
    values: Array = np.ma.getdata(found)
    if column.type in (ColumnType.TEXT, ColumnType.JSON):
        return ColumnData(column.name, column.type, _texts(values, missing), missing)
    if column.type is ColumnType.EMPTY:
        return ColumnData(column.name, column.type, np.full(len(values), np.nan), np.ones(len(values), dtype=bool))
    numbers = values.astype(np.float64, copy=False)
    if missing.any():
        numbers = np.where(missing, np.nan, numbers)
    return ColumnData(column.name, column.type, numbers, missing)


def _texts(values: Array, missing: Array) -> Array:
    """Texts of which equal ones are one object, "" where one is missing."""
    seen: dict[str, str] = {}
    found = np.empty(len(values), dtype=np.object_)
    found[:] = [
        TEXT_MISSING if is_missing else seen.setdefault(value, value)
        for value, is_missing in zip(values.tolist(), missing.tolist(), strict=True)
    ]
    return found
