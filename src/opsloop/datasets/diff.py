"""How two versions differ, row by row under a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import service as datasets
from opsloop.datasets.models import ChangedRow, DatasetDiff, DatasetVersion

SHOWN = 20
_encode = msgspec.json.Encoder(order="sorted").encode
_ABSENT = object()


def diff(uow: UnitOfWork, before: str, after: str, *, key: Sequence[str], shown: int = SHOWN) -> DatasetDiff:
    """Compare two versions.

    Args:
        before, after: versions, as in `service.get`.
        key: columns whose values name a row in both.
        shown: rows of each kind to give with the counts.
    Raises: DatasetMissing; InvalidInput when a key column is not there, or two rows share a key.
    """
    old, new = datasets.get(uow, before), datasets.get(uow, after)
    old_rows, new_rows = (_by_key(uow, version, key) for version in (old, new))
    added = [row for row_key, row in new_rows.items() if row_key not in old_rows]
    removed = [row for row_key, row in old_rows.items() if row_key not in new_rows]
    common = [(old_rows[row_key], row) for row_key, row in new_rows.items() if row_key in old_rows]
    changed = [pair for pair in common if pair[0] != pair[1]]
    old_columns, new_columns = ([column.name for column in version.schema] for version in (old, new))
    return DatasetDiff(
        before=old.ref,
        after=new.ref,
        key=tuple(key),
        added=len(added),
        removed=len(removed),
        changed=len(changed),
        unchanged=len(common) - len(changed),
        added_rows=tuple(added[:shown]),
        removed_rows=tuple(removed[:shown]),
        changed_rows=tuple(_changed(pair[0], pair[1], key) for pair in changed[:shown]),
        added_columns=tuple(name for name in new_columns if name not in old_columns),
        removed_columns=tuple(name for name in old_columns if name not in new_columns),
    )


def _by_key(uow: UnitOfWork, version: DatasetVersion, key: Sequence[str]) -> dict[bytes, dict[str, Any]]:
    names = [column.name for column in version.schema]
    for name in key or [""]:
        if name not in names:
            raise InvalidInput(field="key", value=name, wanted=f"columns of {version.ref}: {', '.join(names[:20])}")
    found: dict[bytes, dict[str, Any]] = {}
    for row in datasets.rows(uow, version):
        row_key = _encode([row.get(name) for name in key])
        if row_key in found:
            raise InvalidInput(
                field="key", value=list(key), wanted=f"columns that name each row of {version.ref} once; "
                f"{row_key.decode()} is there twice"
            )  # fmt: skip
        found[row_key] = row
    return found


def _changed(before: dict[str, Any], after: dict[str, Any], key: Sequence[str]) -> ChangedRow:
    columns = dict.fromkeys([*before, *after])
    return ChangedRow(
        key=tuple(after.get(name) for name in key),
        columns=tuple(name for name in columns if before.get(name, _ABSENT) != after.get(name, _ABSENT)),
        before=before,
        after=after,
    )
