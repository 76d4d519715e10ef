"""How two versions differ, row by row under a key."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import matching
from opsloop.datasets import service as datasets
from opsloop.datasets import snapshot as snapshots
from opsloop.datasets.engine import connected
from opsloop.datasets.matching import Side
from opsloop.datasets.models import ChangedRow, DatasetDiff, DatasetVersion
from opsloop.datasets.part_file import parquet_of
from opsloop.datasets.settings import DatasetSettings

SHOWN = 20
_ABSENT = object()


def diff(uow: UnitOfWork, before: str, after: str, *, key: Sequence[str], shown: int = SHOWN) -> DatasetDiff:
    """Compare two versions; rows are shown in the order they have in `after`, removed ones in that of `before`.

    Args:
        before, after: versions, as in `service.get`; of one dataset or of two.
        key: columns whose values name a row in both.
        shown: rows of each kind to give with the counts.
    Raises: DatasetMissing; InvalidInput when a key column is not there, or two rows share a key; ExtraNeeded.
    """
    old, new = datasets.get(uow, before), datasets.get(uow, after)
    for version in (old, new):
        _check_key(version, key)
    with (
        tempfile.TemporaryDirectory(prefix="opsloop-diff-") as folder,
        connected(memory_bytes=uow.workspace.section(DatasetSettings).dataset_memory_bytes) as duck,
    ):
        sides = _side(uow, duck, old, Path(folder)), _side(uow, duck, new, Path(folder))
        for version, side in zip((old, new), sides, strict=True):
            if (twice := matching.twice(duck, side, key)) is not None:
                wanted = f"columns that name each row of {version.ref} once; {twice} is there twice"
                raise InvalidInput(field="key", value=list(key), wanted=wanted)
        found = matching.matched(duck, *sides, key=key, shown=shown)
        old_rows = _rows(duck, sides[0], [*found.removed_rows, *(pair[0] for pair in found.changed_rows)])
        new_rows = _rows(duck, sides[1], [*found.added_rows, *(pair[1] for pair in found.changed_rows)])
    old_columns, new_columns = ([column.name for column in version.schema] for version in (old, new))
    return DatasetDiff(
        before=old.ref,
        after=new.ref,
        key=tuple(key),
        added=found.added,
        removed=found.removed,
        changed=found.changed,
        unchanged=found.unchanged,
        added_rows=tuple(new_rows[number] for number in found.added_rows),
        removed_rows=tuple(old_rows[number] for number in found.removed_rows),
        changed_rows=tuple(_changed(old_rows[one], new_rows[other], key) for one, other in found.changed_rows),
        added_columns=tuple(name for name in new_columns if name not in old_columns),
        removed_columns=tuple(name for name in old_columns if name not in new_columns),
    )


def _check_key(version: DatasetVersion, key: Sequence[str]) -> None:
    for name in key or [""]:
        if version.column(name) is None:
            names = ", ".join([column.name for column in version.schema][:20])
            raise InvalidInput(field="key", value=name, wanted=f"columns of {version.ref}: {names}")


def _side(uow: UnitOfWork, duck: Any, version: DatasetVersion, folder: Path) -> Side:
    path = parquet_of(uow, duck, version, folder)
    return Side(path, version.schema, snapshots.has_missing(duck, path))


def _rows(duck: Any, side: Side, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Rows by their numbers in the file."""
    wanted = sorted(set(numbers))
    return dict(zip(wanted, snapshots.rows_of_file(duck, side.path, side.columns, numbers=wanted), strict=True))


def _changed(before: Mapping[str, Any], after: Mapping[str, Any], key: Sequence[str]) -> ChangedRow:
    columns = dict.fromkeys([*before, *after])
    return ChangedRow(
        key=tuple(after.get(name) for name in key),
        columns=tuple(name for name in columns if before.get(name, _ABSENT) != after.get(name, _ABSENT)),
        before=dict(before),
        after=dict(after),
    )
