"""Versions as files for others: JSON lines, CSV, Parquet."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.datasets import snapshot as snapshots
from opsloop.datasets.engine import connected, literal, quoted
from opsloop.datasets.findings import Holdout
from opsloop.datasets.holdout import part_of
from opsloop.datasets.models import DatasetVersion
from opsloop.datasets.settings import DatasetSettings

_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Exported:
    """A file to read once; `discard` it afterwards."""

    path: Path
    discard: Callable[[], None]


def file_of(workspace: Workspace, version: DatasetVersion, format: str, *, holdout: Holdout | None = None) -> Exported:
    """The rows of a version as a file, in order.

    JSON lines come back exactly as they were registered. CSV and Parquet have no missing keys: these are null there.

    Args:
        format: `jsonl`, `csv` or `parquet`.
        holdout: how rows are held out, when `version` names a part of its rows; a part comes as `jsonl` only.
    Raises: InvalidInput, ArtifactMissing, ExtraNeeded.
    """
    if format not in FORMATS:
        raise InvalidInput(field="format", value=format, wanted=" or ".join(FORMATS))
    if holdout is not None and format != "jsonl":
        raise InvalidInput(field="format", value=format, wanted=f"jsonl, for {version.ref} is a part")
    source = snapshots.local_file(workspace, version.artifact)
    with tempfile.NamedTemporaryFile(prefix="opsloop-export-", delete=False) as file:
        path = Path(file.name)
    try:
        if holdout is not None:
            _part(workspace, version, holdout, path)
            return Exported(path, lambda: path.unlink(missing_ok=True))
        with connected(memory_bytes=workspace.section(DatasetSettings).dataset_memory_bytes) as duck:
            FORMATS[format](duck, source, version, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Exported(path, lambda: path.unlink(missing_ok=True))


def _part(workspace: Workspace, version: DatasetVersion, holdout: Holdout, path: Path) -> None:
    rows = part_of(snapshots.read(workspace, version.artifact, version.schema), holdout, version.part)
    with path.open("wb") as lines:
        for row in rows:
            lines.write(_encode(row) + b"\n")


def _json_lines(duck: Any, source: Path, version: DatasetVersion, path: Path) -> None:
    with path.open("wb") as lines:
        for block in snapshots.lines_of_file(duck, source, version.schema):
            lines.write(block)


def _csv(duck: Any, source: Path, version: DatasetVersion, path: Path) -> None:
    _copy(duck, source, version, path, "FORMAT csv, HEADER")


def _parquet(duck: Any, source: Path, version: DatasetVersion, path: Path) -> None:
    _copy(duck, source, version, path, "FORMAT parquet, COMPRESSION zstd")


def _copy(duck: Any, source: Path, version: DatasetVersion, path: Path, form: str) -> None:
    chosen = ", ".join(quoted(column.name) for column in version.schema)
    rows = f"SELECT {chosen} FROM read_parquet({literal(str(source))})"  # noqa: S608 (names are quoted)
    duck.execute(f"COPY ({rows}) TO {literal(str(path))} ({form})")


FORMATS: dict[str, Callable[[Any, Path, DatasetVersion, Path], None]] = {
    "jsonl": _json_lines,
    "csv": _csv,
    "parquet": _parquet,
}
