"""Lineage: what a version was made from, and which evaluation, model or release used it."""

from __future__ import annotations

from sqlalchemy import func, select

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets._tables import DatasetSourceRow, DatasetUseRow, DatasetVersionRow
from opsloop.datasets.models import DatasetLineage, DatasetSource, DatasetUse, DatasetVersion


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


def note_source(uow: UnitOfWork, version: DatasetVersion, noun: str, target: str) -> None:
    """Record what a version was made from; noting it twice changes nothing.

    Args:
        noun, target: `dataset` and `raw@3`, `preparation` and `clean`, `table` and its address.
    """
    uow.by.require(Role.DEVELOPER)
    key = (version.id, noun, target)
    if uow.session.get(DatasetSourceRow, key) is None:
        uow.session.add(DatasetSourceRow(version=version.id, noun=noun, target=target, at=uow.clock.now()))


def made_from(uow: UnitOfWork, noun: str, target: str, *, limit: int = 20) -> list[str]:
    """Versions that were made from a thing, such as `request` and its id, newest first."""
    uow.by.require(Role.VIEWER)
    query = (
        select(DatasetVersionRow.name, DatasetVersionRow.version)
        .join(DatasetSourceRow, DatasetSourceRow.version == DatasetVersionRow.id)
        .where(DatasetSourceRow.noun == noun, DatasetSourceRow.target == target)
        .order_by(DatasetSourceRow.at.desc())
        .limit(limit)
    )
    return [f"{name}@{version}" for name, version in uow.session.execute(query)]


def used_by(uow: UnitOfWork, noun: str, *, limit: int = 20) -> list[str]:
    """Versions that things of a noun used, such as `training`, those used last first."""
    uow.by.require(Role.VIEWER)
    last = func.max(DatasetUseRow.at)
    query = (
        select(DatasetVersionRow.name, DatasetVersionRow.version)
        .join(DatasetUseRow, DatasetUseRow.version == DatasetVersionRow.id)
        .where(DatasetUseRow.noun == noun)
        .group_by(DatasetVersionRow.name, DatasetVersionRow.version)
        .order_by(last.desc())
        .limit(limit)
    )
    return [f"{name}@{version}" for name, version in uow.session.execute(query)]


def of_version(uow: UnitOfWork, version: DatasetVersion, *, limit: int = 200) -> DatasetLineage:
    """Where a version came from and who used it."""
    uow.by.require(Role.VIEWER)
    made, use = DatasetSourceRow, DatasetUseRow
    sources = uow.session.scalars(
        select(made).where(made.version == version.id).order_by(made.at.desc(), made.target.desc()).limit(limit)
    )
    used = uow.session.scalars(
        select(use).where(use.version == version.id).order_by(use.at.desc(), use.target.desc()).limit(limit)
    )
    return DatasetLineage(
        dataset=version.ref,
        made_from=tuple(DatasetSource(version.ref, each.noun, each.target, each.at) for each in sources),
        used_by=tuple(DatasetUse(version.ref, each.noun, each.target, each.at) for each in used),
    )
