"""Publish dataset versions, and look where they stand."""

from __future__ import annotations

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import NotFound
from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import service as datasets
from opsloop.datasets.connectors import address as addresses
from opsloop.datasets.connectors.errors import AddressInvalid
from opsloop.datasets.publishing._tables import PublicationRow
from opsloop.datasets.publishing.models import DatasetPublication, PublicationId, PublicationStatus

KIND = "dataset.publish"


def start(uow: UnitOfWork, ref: str, target: str, *, replace: bool = False) -> DatasetPublication:
    """Publish a version as a durable job.

    Args:
        ref: as in `datasets.service.get`.
        target: an address, without a state of it.
        replace: overwrite what Opsloop did not publish.
    Raises: DatasetMissing, AddressInvalid.
    """
    uow.by.require(Role.DEVELOPER)
    version = datasets.get(uow, ref)
    address = addresses.parse(target)
    if address.options:
        raise AddressInvalid(field="to", value=target, wanted="a table, file or object, without a state of it")
    publication_id = uow.ids.new("publication")
    row = PublicationRow(
        id=publication_id,
        dataset=version.ref,
        target=str(address),
        replace=replace,
        status=PublicationStatus.QUEUED,
        at=None,
        is_new=None,
        rows=version.rows,
        error=None,
        job=jobs.enqueue(uow, KIND, {"publication": publication_id}).id,
        created_at=uow.clock.now(),
        created_by=uow.by.name,
        finished_at=None,
    )
    uow.session.add(row)
    uow.session.flush()
    uow.audit("dataset.publishing", f"dataset/{version.ref}", to=str(address), replace=replace)
    return _publication(row)


def get(uow: UnitOfWork, publication: str) -> DatasetPublication:
    """Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    return _publication(row_of(uow, publication))


def listed(uow: UnitOfWork, *, name: str | None = None, limit: int = 100) -> list[DatasetPublication]:
    """The newest first; of one dataset when it is named."""
    uow.by.require(Role.VIEWER)
    query = select(PublicationRow).order_by(PublicationRow.created_at.desc(), PublicationRow.id.desc())
    if name is not None:
        query = query.where(PublicationRow.dataset.startswith(f"{name}@", autoescape=True))
    return [_publication(row) for row in uow.session.scalars(query.limit(min(limit, 1_000)))]


def row_of(uow: UnitOfWork, publication: str) -> PublicationRow:
    """Raises: NotFound."""
    row = uow.session.get(PublicationRow, publication) if "\0" not in publication else None
    if row is None:
        raise NotFound(noun="publication", name=publication)
    return row


def _publication(row: PublicationRow) -> DatasetPublication:
    return DatasetPublication(
        id=PublicationId(row.id),
        dataset=row.dataset,
        target=row.target,
        status=PublicationStatus(row.status),
        at=row.at,
        is_new=row.is_new,
        rows=row.rows,
        error=row.error,
        job=row.job,
        created_at=row.created_at,
        created_by=row.created_by,
        finished_at=row.finished_at,
    )
