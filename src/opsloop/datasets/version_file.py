"""The rows of a version as a Parquet file; of a part of it, its rows alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.datasets import service
from opsloop.datasets import snapshot as snapshots
from opsloop.datasets.formats import registry as formats
from opsloop.datasets.models import DatasetVersion
from opsloop.datasets.staging import staging, written


def parquet_of(workspace: Workspace, version: DatasetVersion, by: Caller, folder: Path) -> Path:
    """The snapshot itself, or a file in the folder with the rows of a part. Raises: ArtifactMissing, ExtraNeeded."""
    if not version.part:
        return snapshots.local_file(workspace, version.artifact)
    lines, target = folder / "part.jsonl", folder / "part_of_version.parquet"
    with workspace.reading(by) as uow, lines.open("wb") as out:
        for row in service.rows(uow, version):
            out.write(msgspec.json.encode(row) + b"\n")
    with staging(lines.name) as place:
        staged = formats.staged(place, lines)
        shutil.move(staged.path or written(place, staged.query), target)
    lines.unlink()
    return target
