"""What a run reads, as one Parquet file with our columns; pinned first, so that it can be told exactly."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.datasets import service as datasets
from opsloop.datasets.connectors import registry as connectors
from opsloop.datasets.connectors.address import Address
from opsloop.datasets.connectors.reach import Reach, SourceSettings, reach_of
from opsloop.datasets.formats import registry as formats
from opsloop.datasets.models import DatasetVersion
from opsloop.datasets.preparation.declaration import Declared
from opsloop.datasets.settings import DatasetSettings
from opsloop.datasets.staging import staging, written
from opsloop.datasets.version_file import parquet_of

DATASET = "dataset:"


@dataclass(frozen=True, slots=True)
class Source:
    """The exact state of what is read: an address that is pinned, or a dataset version."""

    address: Address | None = None
    version: DatasetVersion | None = None

    def __str__(self) -> str:
        return f"{DATASET}{self.version.ref}" if self.version is not None else str(self.address)


def reach(workspace: Workspace) -> Reach:
    return reach_of(workspace.data_dir, workspace.section(SourceSettings))


def pinned(workspace: Workspace, declared: Declared, by: Caller) -> Source:
    """The state that is there now, or that the declaration names. Raises: DatasetMissing, and what connectors raise."""
    if declared.source is not None:
        return Source(address=connectors.of(declared.source).pin(declared.source, reach(workspace)))
    assert declared.dataset is not None
    with workspace.reading(by) as uow:
        return Source(version=datasets.get(uow, declared.dataset))


def read(workspace: Workspace, source: Source, folder: Path, by: Caller) -> Path:
    """The rows of a source as a Parquet file in a folder. Raises: FileBroken, DatasetTooLarge, as connectors do."""
    target = folder / "source.parquet"
    if source.version is not None:
        shutil.copyfile(parquet_of(workspace, source.version, by, folder), target)
        return target
    assert source.address is not None
    landing = folder / "landing"
    landing.mkdir()
    landed = connectors.of(source.address).land(source.address, reach(workspace), landing)
    memory_bytes = workspace.section(DatasetSettings).dataset_memory_bytes
    with staging(landed.file.name, memory_bytes=memory_bytes) as place:
        staged = formats.staged(place, landed.file)
        shutil.move(staged.path or written(place, staged.query), target)
    shutil.rmtree(landing)
    return target
