"""Parquet: numbers, text and booleans as they are, dates and times as ISO text, nested columns as JSON."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from opsloop.datasets.engine import connected, literal
from opsloop.datasets.errors import DatasetTooLarge, FileBroken
from opsloop.datasets.formats.registry import file_format
from opsloop.datasets.json_text import parse
from opsloop.datasets.models import ColumnType
from opsloop.datasets.records import Records
from opsloop.datasets.relation import staged_relation
from opsloop.datasets.staging import Staged, Staging
from opsloop.datasets.text import is_empty

# What a small file can unpack to is bounded before it is unpacked.
CELLS_LIMIT = 500_000_000
UNPACKED_LIMIT_BYTES = 20_000_000_000
# What `parquet` makes Python values of.
IN_MEMORY_CELLS_LIMIT = 50_000_000


def staged(place: Staging, path: Path) -> Staged:
    import duckdb  # loaded by `connected`

    if not path.stat().st_size:
        raise is_empty(place.file)
    source = f"read_parquet({literal(str(path))})"
    try:
        _check_size(place, path, CELLS_LIMIT)
        return staged_relation(place, source)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0].replace(str(path), place.file)
        raise FileBroken(place.file, "the file", f"a Parquet file ({reason})") from None


@file_format(".parquet", staged=staged)
def parquet(file: str, data: bytes) -> Records:
    with tempfile.TemporaryDirectory(prefix="opsloop-dataset-") as folder, connected() as duck:
        place = Staging(duck, Path(folder), file)
        path = Path(folder) / "rows.parquet"
        path.write_bytes(data)
        found = staged(place, path)
        _check_size(place, path, IN_MEMORY_CELLS_LIMIT)
        names = [column.name for column in found.columns]
        rows = [dict(zip(names, values, strict=True)) for values in duck.execute(found.query).fetchall()]
    for column in found.columns:
        if column.type is ColumnType.JSON:
            for row in rows:
                row[column.name] = _value(row[column.name])
    return Records(file, rows, (), tuple(names))


def _value(text: str | None) -> Any:
    return None if text is None else parse(text)


def _check_size(place: Staging, path: Path, cells_limit: int) -> None:
    """By what the file says of itself; nothing is unpacked yet. Raises: DatasetTooLarge."""
    rows, columns, unpacked = place.duck.execute(
        "SELECT (SELECT coalesce(sum(num_rows), 0) FROM parquet_file_metadata($1)), count(DISTINCT path_in_schema), "
        "coalesce(sum(total_uncompressed_size), 0) FROM parquet_metadata($1)",
        [str(path)],
    ).fetchone()
    if rows * columns > cells_limit:
        what = f"{rows:,} rows of {columns} columns"
        raise DatasetTooLarge(file=place.file, what=what, limit=f"{cells_limit:,} cells")
    if unpacked > UNPACKED_LIMIT_BYTES:
        what = f"{unpacked:,} bytes unpacked"
        raise DatasetTooLarge(file=place.file, what=what, limit=f"{UNPACKED_LIMIT_BYTES:,} bytes")
