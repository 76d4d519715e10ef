"""A place to work where a file becomes a snapshot: a folder that goes away afterwards, and a DuckDB."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsloop.datasets.engine import MEMORY_BYTES, connected, literal
from opsloop.datasets.errors import NoMemory
from opsloop.datasets.models import Column, ColumnType

MISSING = "_opsloop_missing"
_GROUP_ROWS, _FEW_ROWS = 122_880, 2_048
STORED = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.JSON: "JSON",
    ColumnType.EMPTY: "VARCHAR",
}


@dataclass(frozen=True, slots=True)
class Staging:
    """Where the work on one file happens.

    Args:
        duck: a DuckDB connection.
        folder: for files on the way; it is gone afterwards.
        file: the file's name, for sentences.
    """

    duck: Any
    folder: Path
    file: str


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows that stand ready to be kept.

    Args:
        query: a SELECT that gives them in order, each column in its stored type (`STORED`), lists and objects as JSON
            text with sorted keys.
        columns: names and types, in order.
        missing: whether the query also gives `MISSING`: the names of keys that a row does not have, as a JSON list, or
            null.
        path: the Parquet file, when they are written already; the query is not needed then.
    """

    query: str
    columns: tuple[Column, ...]
    missing: bool = False
    path: Path | None = None


@contextmanager
def staging(file: str, *, memory_bytes: int = MEMORY_BYTES) -> Iterator[Staging]:
    """Raises: ExtraNeeded; NoMemory when the work in it needs too much."""
    with (
        tempfile.TemporaryDirectory(prefix="opsloop-dataset-") as folder,
        connected(memory_bytes=memory_bytes, folder=Path(folder) / "spill") as duck,
    ):
        import duckdb  # loaded by `connected`

        try:
            yield Staging(duck, Path(folder), file)
        except duckdb.OutOfMemoryException:
            raise NoMemory(file=file, limit_bytes=memory_bytes) from None


def written(place: Staging, query: str) -> Path:
    """The rows of a query as a Parquet file, in order."""
    path = place.folder / "snapshot.parquet"
    import duckdb  # loaded by `connected`

    try:
        _copy(place, query, path, rows=_GROUP_ROWS)
    except duckdb.OutOfMemoryException:  # a group is in memory until it is written, and these rows are long
        _copy(place, query, path, rows=_FEW_ROWS)
    return path


def _copy(place: Staging, query: str, path: Path, *, rows: int) -> None:
    form = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {rows}"
    place.duck.execute(f"COPY ({query}) TO {literal(str(path))} ({form})")


def row_count(duck: Any, path: Path | None) -> int:
    """Rows of a Parquet file, by what it says of itself."""
    return int(duck.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [str(path)]).fetchone()[0])
