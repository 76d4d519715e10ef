"""Documents whose time in their collection is over."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Select, select

from opsloop.core.workspace import UnitOfWork
from opsloop.rag._rows import collection_row
from opsloop.rag._tables import CollectionRow, DocumentRow
from opsloop.rag.deletion.deleting import Deletion, delete_documents
from opsloop.rag.models import CollectionMissing, Removed

AT_ONCE = 100


def due(uow: UnitOfWork) -> list[str]:
    """Collections that hold a document which is older than they keep it."""
    limited = select(CollectionRow).where(CollectionRow.retention_days.is_not(None)).order_by(CollectionRow.name)
    rows = uow.session.scalars(limited).all()
    return [row.name for row in rows if uow.session.scalars(_old(uow, row).limit(1)).first() is not None]


def delete_old(uow: UnitOfWork, collection: str) -> Deletion:
    """Delete the oldest of them, at most AT_ONCE."""
    try:
        row = collection_row(uow, collection, for_change=True)
    except CollectionMissing:
        return Deletion(Removed())
    if row.retention_days is None:
        return Deletion(Removed())
    found = uow.session.scalars(_old(uow, row).limit(AT_ONCE)).all()
    if not found:
        return Deletion(Removed())
    return delete_documents(uow, row, found, reason=f"older than {row.retention_days} days")


def _old(uow: UnitOfWork, row: CollectionRow) -> Select[DocumentRow]:
    before = uow.clock.now() - timedelta(days=row.retention_days or 0)
    kept_too_long = select(DocumentRow).where(DocumentRow.collection == row.name, DocumentRow.created_at < before)
    return kept_too_long.order_by(DocumentRow.created_at, DocumentRow.id)
