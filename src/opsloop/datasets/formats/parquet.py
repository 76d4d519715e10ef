"""Parquet: numbers, text and booleans as they are, dates and times as ISO text, nested columns as JSON."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from opsloop.datasets.engine import connected, quoted
from opsloop.datasets.errors import DatasetTooLarge, FileBroken
from opsloop.datasets.formats.registry import file_format
from opsloop.datasets.json_text import parse
from opsloop.datasets.records import Records

# What a small file can unpack to is bounded before it is unpacked.
CELLS_LIMIT = 50_000_000
UNPACKED_LIMIT_BYTES = 1_000_000_000
_AS_IT_IS = frozenset({"BOOLEAN", "VARCHAR", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT",
                       "UINTEGER", "UBIGINT", "HUGEINT", "FLOAT", "DOUBLE"})  # fmt: skip
_AS_TEXT = ("DATE", "TIME", "TIMESTAMP", "UUID", "ENUM", "INTERVAL")
_AS_JSON = ("JSON", "STRUCT", "MAP", "VARIANT")


@file_format(".parquet")
def parquet(file: str, data: bytes) -> Records:
    if not data:
        raise FileBroken(file, "the file", "at least one row; it is empty")
    with tempfile.TemporaryDirectory(prefix="opsloop-dataset-") as folder, connected() as duck:
        path = Path(folder) / "rows.parquet"
        path.write_bytes(data)
        import duckdb  # loaded by `connected`

        try:
            return _read(file, duck, str(path))
        except duckdb.Error as error:
            reason = str(error).splitlines()[0].replace(str(path), file)
            raise FileBroken(file, "the file", f"a Parquet file ({reason})") from None


def _read(file: str, duck: Any, path: str) -> Records:
    described = duck.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()
    columns = {name: kind for name, kind, *_ in described}
    _check_size(file, duck, path, len(columns))
    chosen = ", ".join(_expression(file, name, kind) for name, kind in columns.items())
    found = duck.execute(f"SELECT {chosen} FROM read_parquet(?)", [path]).fetchall()  # noqa: S608 (names are quoted)
    if not found:
        raise FileBroken(file, "the file", "at least one row")
    nested = {name for name, kind in columns.items() if _is_nested(kind)}
    rows = [
        {
            name: parse(value) if name in nested and value is not None else value
            for name, value in zip(columns, row, strict=True)
        }
        for row in found
    ]
    return Records(file, rows, (), tuple(columns))


def _check_size(file: str, duck: Any, path: str, columns: int) -> None:
    rows = duck.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [path]).fetchone()[0] or 0
    if rows * columns > CELLS_LIMIT:
        raise DatasetTooLarge(file=file, what=f"{rows:,} rows of {columns} columns", limit=f"{CELLS_LIMIT:,} cells")
    unpacked = duck.execute("SELECT sum(total_uncompressed_size) FROM parquet_metadata(?)", [path]).fetchone()[0] or 0
    if unpacked > UNPACKED_LIMIT_BYTES:
        raise DatasetTooLarge(file=file, what=f"{unpacked:,} bytes unpacked", limit=f"{UNPACKED_LIMIT_BYTES:,} bytes")


def _expression(file: str, name: str, kind: str) -> str:
    if _is_nested(kind):
        return f"to_json({quoted(name)})::VARCHAR"
    if kind in _AS_IT_IS:
        return quoted(name)
    if kind.startswith("DECIMAL"):
        return f"{quoted(name)}::DOUBLE"
    if kind.startswith(_AS_TEXT):
        return f"{quoted(name)}::VARCHAR"
    raise FileBroken(
        file, "the file", "numbers, text, booleans, dates or nested columns of them", column=name, value=kind
    )


def _is_nested(kind: str) -> bool:
    return kind.startswith(_AS_JSON) or kind.endswith("]")
