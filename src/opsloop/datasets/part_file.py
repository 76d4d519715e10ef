"""The rows that a version names as a Parquet file: its whole snapshot, or what a part of it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import holdouts
from opsloop.datasets import snapshot as snapshots
from opsloop.datasets.engine import literal
from opsloop.datasets.holdout import HOLDOUT, is_held_out
from opsloop.datasets.models import DatasetVersion


def parquet_of(uow: UnitOfWork, duck: Any, version: DatasetVersion, folder: Path) -> Path:
    """A file to read only; that of a part is written into the folder. Raises: ArtifactMissing."""
    whole = snapshots.local_file(uow.workspace, version.artifact)
    if not version.part:
        return whole
    holdout = holdouts.get(uow, version.name)
    assert holdout is not None
    rows = snapshots.rows_of_file(duck, whole, version.schema)
    wanted = version.part == HOLDOUT
    numbers = [number for number, row in enumerate(rows) if is_held_out(row, holdout) is wanted]
    path = folder / f"{version.id}-{version.part}.parquet"
    duck.execute("CREATE OR REPLACE TEMP TABLE part AS SELECT unnest(?::BIGINT[]) AS number", [numbers])
    duck.execute(
        f"COPY (SELECT * EXCLUDE file_row_number FROM read_parquet({literal(str(whole))}, file_row_number = true) "  # noqa: S608
        f"WHERE file_row_number IN (FROM part) ORDER BY file_row_number) TO {literal(str(path))} (FORMAT parquet)"
    )
    duck.execute("DROP TABLE part")
    return path
