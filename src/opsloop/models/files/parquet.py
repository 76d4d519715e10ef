"""Parquet, through DuckDB; instants come out as text, nested columns as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from opsloop.datasets.engine import connected, literal
from opsloop.datasets.errors import FileBroken
from opsloop.datasets.formats import registry as formats
from opsloop.datasets.staging import staging
from opsloop.datasets.staging import written as staged_rows
from opsloop.models.files import json_lines
from opsloop.models.files.rows import FileFormat, Given, Row, Sink

_BATCH = 2_048


@contextmanager
def opened(path: Path) -> Iterator[Given]:
    """Raises: FileBroken, ExtraNeeded."""
    with connected() as duck:
        import duckdb  # loaded by `connected`

        try:
            found = duck.execute(f"SELECT * FROM read_parquet({literal(str(path))})")  # noqa: S608 (quoted)
        except duckdb.Error as error:
            reason = str(error).splitlines()[0].replace(str(path), path.name)
            raise FileBroken(path.name, "the file", f"a Parquet file ({reason})") from None
        names = [each[0] for each in found.description]
        yield Given(_rows(found, names), names)


def _rows(found: Any, names: Sequence[str]) -> Iterator[Row]:
    number = 0
    while batch := found.fetchmany(_BATCH):
        for values in batch:
            number += 1
            yield Row(f"row {number}", dict(zip(names, map(_plain, values), strict=True)))


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


@contextmanager
def written(path: Path, names: Sequence[str] | None) -> Iterator[Sink]:
    """Raises: FileBroken where a column has values of several types, ExtraNeeded."""
    with staging("rows.jsonl") as place:
        lines = place.folder / "out.jsonl"
        with json_lines.written(lines, names) as sink:
            yield sink
        staged = formats.staged(place, lines)
        rows = staged.path or staged_rows(place, staged.query)
        chosen = ", ".join(f'"{each.name.replace(chr(34), chr(34) * 2)}"' for each in staged.columns)
        query = f"SELECT {chosen} FROM read_parquet({literal(str(rows))})"  # noqa: S608 (quoted)
        place.duck.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)")


FORMATS = {".parquet": FileFormat(opened, written)}
