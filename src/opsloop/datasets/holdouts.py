"""Freeze the held out rows of a dataset, and find them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import holdout as rules
from opsloop.datasets import snapshot as snapshots
from opsloop.datasets._tables import DatasetHoldoutRow
from opsloop.datasets.findings import Holdout
from opsloop.datasets.models import DatasetVersion

# Rows under an artifact's key never change, so what was counted stays true.
_COUNTED: dict[tuple[Path, str, Holdout], Mapping[str, int]] = {}
COUNTED_LIMIT = 1_000


def get(uow: UnitOfWork, name: str) -> Holdout | None:
    """What is held out of a dataset; None when nothing is."""
    uow.by.require(Role.VIEWER)
    row = uow.session.get(DatasetHoldoutRow, name)
    if row is None:
        return None
    return Holdout(row.name, row.frozen, row.share, row.seed, row.by, tuple(row.columns))


def rows(uow: UnitOfWork, version: DatasetVersion) -> Iterator[dict[str, Any]]:
    """All rows of a version, whatever part it is."""
    return snapshots.read(uow.workspace, version.artifact, version.schema)


def freeze(
    uow: UnitOfWork, version: DatasetVersion, share: float, *, seed: int, by: str | None, reason: str | None
) -> Holdout:
    """Hold out a share of the rows of a version; later versions must have them unchanged.

    Args:
        by: a column whose values stay together.
        reason: why other rows may be held out than before; put on record.
    Raises: InvalidInput, HoldoutFrozen.
    """
    uow.by.require(Role.DEVELOPER)
    columns = tuple(column.name for column in version.schema)
    rules.check(share, seed, by, columns)
    before = get(uow, version.name)
    after = Holdout(version.name, version.version, share, seed, by, columns)
    if before is not None and _choice(before) != _choice(after) and not reason:
        raise rules.HoldoutFrozen(dataset=version.name, how=described(before))
    row = uow.session.get(DatasetHoldoutRow, version.name)
    if row is None:
        row = DatasetHoldoutRow(name=version.name)
        uow.session.add(row)
    row.frozen, row.share, row.seed, row.by = version.version, share, seed, by
    row.columns, row.changed_at, row.changed_by = list(columns), uow.clock.now(), uow.by.name
    uow.session.flush()
    said = {"reason": reason} if reason else {}
    uow.audit("dataset.frozen", f"dataset/{version.ref}", share=share, seed=seed, by=by, **said)
    return after


def move(uow: UnitOfWork, name: str, version: int, *, reason: str, lost: int) -> None:
    """Take the held out rows of another version as the ones to keep, for a reason that is put on record."""
    row = uow.session.get_one(DatasetHoldoutRow, name)
    before, row.frozen = row.frozen, version
    row.changed_at, row.changed_by = uow.clock.now(), uow.by.name
    uow.audit("dataset.holdout_replaced", f"dataset/{name}@{version}", before=before, rows_lost=lost, reason=reason)


def parts(uow: UnitOfWork, version: DatasetVersion, holdout: Holdout) -> Mapping[str, int]:
    """How many rows of a version are in each part; a process counts them once."""
    key = (uow.workspace.data_dir, version.artifact, holdout)
    if key not in _COUNTED:
        if len(_COUNTED) >= COUNTED_LIMIT:
            _COUNTED.clear()
        _COUNTED[key] = rules.counted(rows(uow, version), holdout)
    return _COUNTED[key]


def described(holdout: Holdout) -> str:
    by = f" by {holdout.by}" if holdout.by else ""
    return f"{holdout.share:.0%} with seed {holdout.seed}{by}, frozen at version {holdout.frozen}"


def _choice(holdout: Holdout) -> tuple[object, ...]:
    return holdout.share, holdout.seed, holdout.by, holdout.columns
