"""Lineage: which evaluation, model or release used which version."""

from __future__ import annotations

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets._tables import DatasetUseRow, DatasetVersionRow
from opsloop.datasets.models import DatasetUse, DatasetVersion


def note_use(uow: UnitOfWork, version: DatasetVersion, noun: str, target: str) -> None:
    """Record that a thing used a version; noting it twice changes nothing."""
    uow.by.require(Role.DEVELOPER)
    key = (version.id, noun, target)
    if uow.session.get(DatasetUseRow, key) is None:
        uow.session.add(DatasetUseRow(version=version.id, noun=noun, target=target, at=uow.clock.now()))


def uses(uow: UnitOfWork, name: str, *, limit: int = 200) -> list[DatasetUse]:
    """Who used the versions of a dataset, newest first."""
    uow.by.require(Role.VIEWER)
    query = (
        select(DatasetVersionRow.version, DatasetUseRow)
        .join(DatasetUseRow, DatasetUseRow.version == DatasetVersionRow.id)
        .where(DatasetVersionRow.name == name)
        .order_by(DatasetUseRow.at.desc(), DatasetUseRow.target.desc())
        .limit(min(limit, 1_000))
    )
    found = uow.session.execute(query)
    return [DatasetUse(f"{name}@{version}", use.noun, use.target, use.at) for version, use in found]
