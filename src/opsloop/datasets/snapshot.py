"""Rows as a Parquet snapshot, and back exactly as they were.

Lists and objects are kept as JSON text. Which keys a row does not have (that is not the same as null) stands in a
column of its own, `_opsloop_missing`, when any row misses one. The digest is that of the rows as JSON lines with sorted
keys; it does not depend on the file they came from, nor on how the Parquet file is written.

Everything here works in a stream: memory does not grow with the rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import starmap
from pathlib import Path
from typing import Any

import msgspec

from opsloop.core.workspace import Workspace
from opsloop.datasets.columns import ColumnsFound
from opsloop.datasets.engine import connected, literal, quoted
from opsloop.datasets.formats import registry as formats
from opsloop.datasets.json_rows import JsonRows
from opsloop.datasets.models import Column, ColumnProfile, ColumnType
from opsloop.datasets.profile import profile_of
from opsloop.datasets.records import Records
from opsloop.datasets.relation import staged_relation
from opsloop.datasets.settings import DatasetSettings
from opsloop.datasets.staging import MISSING, Staged, Staging, row_count, staging, written

PREFIX = "datasets"
_decode = msgspec.json.decode
_encode = msgspec.json.Encoder(order="sorted").encode
_lines = msgspec.json.Encoder().encode_lines
_BATCH = 2_048


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot in the artifact store; `digest` names the rows, `artifact` the blob."""

    digest: str
    artifact: str
    rows: int
    size_bytes: int
    columns: tuple[Column, ...]
    profile: tuple[ColumnProfile, ...]


def of_file(workspace: Workspace, path: Path, file: str = "") -> Snapshot:
    """Put the rows of a file into the artifact store as Parquet. Equal rows give the same digest.

    Args:
        file: its name, whose ending tells the format; default: that of the path.
    Raises: InvalidInput, FileBroken naming file, line and column, DatasetTooLarge, ExtraNeeded.
    """
    with _staging(workspace, formats.base_name(file or path.name)) as place:
        return keep(workspace, place, formats.staged(place, path))


def of_query(workspace: Workspace, connection: Any, query: str, name: str) -> Snapshot:
    """The same for the rows of a DuckDB query, in its order; `connection` is the caller's own.

    A Parquet file is better given to `of_file`. Arrow batches: register a `pyarrow.RecordBatchReader` with the
    connection and select from it.

    Args:
        name: what the rows are, for sentences: the table's name.
    Raises: FileBroken naming row and column, DatasetTooLarge, ExtraNeeded.
    """
    with _staging(workspace, name) as place:
        path = place.folder / "query.parquet"
        connection.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet)")
        return keep(workspace, place, staged_relation(place, f"read_parquet({literal(str(path))})"))


def of_rows(workspace: Workspace, records: Records) -> Snapshot:
    """The same for rows in memory. Raises: FileBroken, DatasetTooLarge, ExtraNeeded."""
    with _staging(workspace, records.file) as place:
        found = ColumnsFound(records.file, records.place, records.columns)
        with JsonRows(place.folder / "rows.jsonl", found) as rows:
            rows.add(enumerate(records.rows))
            return keep(workspace, place, rows.staged())


def keep(workspace: Workspace, place: Staging, staged: Staged) -> Snapshot:
    """Put staged rows into the artifact store."""
    parquet = staged.path or written(place, staged.query)
    rows = row_count(place.duck, parquet)
    digest = digest_of(place.duck, parquet, staged.columns, missing=staged.missing)
    profile = profile_of(place.duck, str(parquet), staged.columns, missing=staged.missing)
    artifact = f"{PREFIX}/{digest[:2]}/{digest}.parquet"
    if not workspace.artifacts.exists(artifact):
        workspace.artifacts.put_file(artifact, parquet)
    return Snapshot(digest, artifact, rows, parquet.stat().st_size, staged.columns, profile)


def digest_of(duck: Any, parquet: Path, columns: Sequence[Column], *, missing: bool) -> str:
    """The hash of the rows as JSON lines with sorted keys, in order."""
    ordered = sorted(columns, key=lambda column: column.name.encode())
    digest = hashlib.sha256(b"opsloop dataset 1\n")
    for lines in _encoded(duck, parquet, ordered, missing=missing):
        digest.update(lines)
    return digest.hexdigest()


def lines_of_file(duck: Any, path: Path, columns: Sequence[Column]) -> Iterator[bytes]:
    """The rows of a snapshot's Parquet file as JSON lines, some at a time."""
    yield from _encoded(duck, path, columns, missing=has_missing(duck, path))


def _encoded(duck: Any, parquet: Path, columns: Sequence[Column], *, missing: bool) -> Iterator[bytes]:
    chosen = [quoted(column.name) for column in columns] + ([quoted(MISSING)] if missing else [])
    found = duck.execute(f"SELECT {', '.join(chosen)} FROM read_parquet(?)", [str(parquet)])  # noqa: S608 (quoted)
    lines = _lines_of(columns, missing=missing)
    while batch := found.fetchmany(_BATCH):
        yield lines(batch)


def read(
    workspace: Workspace, artifact: str, columns: Sequence[Column], *, offset: int = 0, limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """The rows of a snapshot in order, exactly as they were registered. Raises: ArtifactMissing, ExtraNeeded."""
    path = local_file(workspace, artifact)
    with connected() as duck:
        yield from rows_of_file(duck, path, columns, offset=offset, limit=limit)


def rows_of_file(
    duck: Any,
    path: Path,
    columns: Sequence[Column],
    *,
    offset: int = 0,
    limit: int | None = None,
    numbers: Sequence[int] | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows of a snapshot's Parquet file, in order; with `numbers` only those, counted from 0."""
    missing = has_missing(duck, path)
    chosen = ", ".join([quoted(column.name) for column in columns] + ([quoted(MISSING)] if missing else []))
    if numbers is None:
        few = "LIMIT ? OFFSET ?"
        values: list[Any] = [limit if limit is not None else 2**62, offset]
    else:
        few, values = "WHERE list_contains(?::BIGINT[], file_row_number) ORDER BY file_row_number", [list(numbers)]
    source = f"read_parquet({literal(str(path))}, file_row_number = true)"
    found = duck.execute(f"SELECT {chosen} FROM {source} {few}", values)  # noqa: S608 (names are quoted)
    row_of = _row_of(columns, missing=missing)
    while batch := found.fetchmany(_BATCH):
        yield from map(row_of, batch)


def has_missing(duck: Any, path: Path) -> bool:
    """Whether a snapshot says of any row that it misses keys."""
    described = duck.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    return any(name == MISSING for name, *_ in described)


def local_file(workspace: Workspace, artifact: str) -> Path:
    """The snapshot as a file of this machine: the store's own, or a copy that is fetched once."""
    return workspace.artifacts.local_file(artifact, workspace.data_dir / "cache")


def forget(workspace: Workspace, artifact: str) -> None:
    """Remove the file that `local_file` made."""
    (workspace.data_dir / "cache" / artifact).unlink(missing_ok=True)


def _staging(workspace: Workspace, file: str) -> AbstractContextManager[Staging]:
    return staging(file, memory_bytes=workspace.section(DatasetSettings).dataset_memory_bytes)


def _row_of(columns: Sequence[Column], *, missing: bool) -> Callable[[tuple[Any, ...]], dict[str, Any]]:
    names = [column.name for column in columns]
    nested = [name for name, column in zip(names, columns, strict=True) if column.type is ColumnType.JSON]

    def row_of(values: tuple[Any, ...]) -> dict[str, Any]:
        row = dict(zip(names, values, strict=False))
        for name in nested:
            if row[name] is not None:
                row[name] = _decode(row[name])
        if missing and values[-1] is not None:
            for name in _decode(values[-1]):
                del row[name]
        return row

    return row_of


def _lines_of(ordered: Sequence[Column], *, missing: bool) -> Callable[[Sequence[tuple[Any, ...]]], bytes]:
    """What turns values in the order of the columns into JSON lines."""
    nested = any(column.type is ColumnType.JSON for column in ordered)
    names = [column.name for column in ordered]
    if nested or missing or any(not name.isprintable() or '"' in name or "\\" in name for name in names):
        row_of = _row_of(ordered, missing=missing)
        return lambda batch: b"".join(_encode(row) + b"\n" for row in map(row_of, batch))
    fields = {f"f{number}": name for number, name in enumerate(names)}
    row = msgspec.defstruct("Row", [(field, object) for field in fields], rename=fields, gc=False)
    return lambda batch: _lines(list(starmap(row, batch)))
