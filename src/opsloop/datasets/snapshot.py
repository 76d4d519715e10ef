"""Rows as a Parquet snapshot, and back exactly as they were.

Lists and objects are kept as JSON text. Which keys a row does not have (that is not the same as null) stands in a
column of its own, `_opsloop_missing`, when any row misses one.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from opsloop.core.workspace import Workspace
from opsloop.datasets.columns import RESERVED, columns_of
from opsloop.datasets.engine import connected, literal, quoted
from opsloop.datasets.errors import FileBroken
from opsloop.datasets.models import Column, ColumnProfile, ColumnType
from opsloop.datasets.profile import profile_of
from opsloop.datasets.records import Records

PREFIX = "datasets"
MISSING = f"{RESERVED}_missing"
_STORED = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.JSON: "JSON",
    ColumnType.EMPTY: "VARCHAR",
}
_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.decode
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot in the artifact store; `digest` names the rows, `artifact` the blob."""

    digest: str
    artifact: str
    rows: int
    size_bytes: int
    columns: tuple[Column, ...]
    profile: tuple[ColumnProfile, ...]


def write(workspace: Workspace, records: Records) -> Snapshot:
    """Put rows into the artifact store as Parquet. Equal rows give the same digest.

    Raises: FileBroken, ExtraNeeded.
    """
    columns = columns_of(records)
    with tempfile.TemporaryDirectory(prefix="opsloop-dataset-") as folder, connected() as duck:
        lines, parquet = Path(folder) / "rows.jsonl", Path(folder) / "rows.parquet"
        written = _write_lines(records, columns, lines)
        stored = [f"{quoted(column.name)}::{_STORED[column.type]} AS {quoted(column.name)}" for column in columns]
        if any(written.missing.values()):
            stored.append(quoted(MISSING))
        duck.execute(
            f"COPY (SELECT {', '.join(stored)} FROM {_reader(columns, lines, written.longest_bytes)}) "  # noqa: S608 (quoted)
            f"TO {literal(str(parquet))} (FORMAT parquet, COMPRESSION zstd)"
        )
        profile = profile_of(duck, str(parquet), columns, written.missing)
        data = parquet.read_bytes()
    artifact = f"{PREFIX}/{written.digest[:2]}/{written.digest}.parquet"
    if not workspace.artifacts.exists(artifact):
        workspace.artifacts.put(artifact, data)
    return Snapshot(written.digest, artifact, len(records.rows), len(data), columns, profile)


def read(
    workspace: Workspace, artifact: str, columns: Sequence[Column], *, offset: int = 0, limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """The rows of a snapshot in order, exactly as they were registered. Raises: ArtifactMissing, ExtraNeeded."""
    path = local_file(workspace, artifact)
    nested = [column.type is ColumnType.JSON for column in columns]
    names = [column.name for column in columns]
    with connected() as duck:
        present = {name for name, *_ in duck.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()}
        missing = quoted(MISSING) if MISSING in present else "NULL"
        chosen = ", ".join([*map(quoted, names), missing])
        found = duck.execute(
            f"SELECT {chosen} FROM read_parquet(?) LIMIT ? OFFSET ?",  # noqa: S608 (names are quoted)
            [str(path), limit if limit is not None else 2**62, offset],
        )
        while batch := found.fetchmany(_BATCH):
            for *values, absent in batch:
                row = {
                    name: _decode(value) if is_nested and value is not None else value
                    for name, value, is_nested in zip(names, values, nested, strict=True)
                }
                for name in _decode(absent) if absent else ():
                    del row[name]
                yield row


def local_file(workspace: Workspace, artifact: str) -> Path:
    """The snapshot as a file of this installation, fetched once."""
    path = workspace.data_dir / "cache" / artifact
    if not path.exists():
        data = workspace.artifacts.get(artifact)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False) as part:
            part.write(data)
        Path(part.name).replace(path)
    return path


@dataclass(frozen=True, slots=True)
class _Written:
    digest: str
    missing: dict[str, int]
    longest_bytes: int


def _write_lines(records: Records, columns: Sequence[Column], path: Path) -> _Written:
    """The rows as JSON lines for DuckDB, nested values as JSON text; with the digest of the rows themselves."""
    digest = hashlib.sha256(b"opsloop dataset 1\n")
    missing = dict.fromkeys((column.name for column in columns), 0)
    longest = 0
    with path.open("wb") as file:
        for index, row in enumerate(records.rows):
            values = {column.name: _plain(row[column.name], column.type) for column in columns if column.name in row}
            absent = [column.name for column in columns if column.name not in row]
            try:
                digest.update(_encode(values) + b"\n")
                line = _encode(_for_storage(values, columns, absent))
            except UnicodeEncodeError:
                wanted = "text of whole characters; a lone surrogate (such as \\ud800) is none"
                raise FileBroken(records.file, records.place(index), wanted) from None
            for name in absent:
                missing[name] += 1
            longest = max(longest, len(line))
            file.write(line + b"\n")
    return _Written(digest.hexdigest(), missing, longest)


def _plain(value: Any, kind: ColumnType) -> Any:
    return float(value) if kind is ColumnType.NUMBER and value is not None else value


def _for_storage(values: dict[str, Any], columns: Sequence[Column], absent: list[str]) -> dict[str, Any]:
    stored = dict(values)
    for column in columns:
        if column.type is ColumnType.JSON and (value := values.get(column.name)) is not None:
            stored[column.name] = _encode(value).decode()
    if absent:
        stored[MISSING] = _encode(absent).decode()
    return stored


def _reader(columns: Sequence[Column], path: Path, longest_bytes: int) -> str:
    kinds = {column.name: "VARCHAR" if column.type is ColumnType.JSON else _STORED[column.type] for column in columns}
    kinds[MISSING] = "VARCHAR"
    struct = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in kinds.items())
    return (
        f"read_json({literal(str(path))}, format = 'newline_delimited', columns = {{{struct}}}, "
        f"maximum_object_size = {max(longest_bytes + 1_024, 16_777_216)})"
    )
