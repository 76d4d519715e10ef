"""Collections on their way to the vectors of another embedder: begun, given up, dropped.

The new vectors lie beside the old ones, which serve until all are made (`changing_over.py`).
"""

from __future__ import annotations

from sqlalchemy import delete

from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork
from opsloop.rag._tables import ChangeoverRow, ChangeoverVectorRow

CHANGE_OVER = "rag.change_over"


def begin(uow: UnitOfWork, collection: str, embedder: str) -> None:
    """Have a job make the vectors; nothing when one makes those of this embedder already."""
    there = uow.session.get(ChangeoverRow, collection)
    if there is not None and there.error is None and there.embedder == embedder:
        return
    drop(uow, collection)
    id = uow.ids.new("changeover")
    uow.session.add(ChangeoverRow(collection=collection, id=id, embedder=embedder, asked_at=uow.clock.now()))
    uow.session.flush()
    uow.audit("collection.reindex_asked", f"collection/{collection}", embedder=embedder)
    jobs.enqueue(uow, CHANGE_OVER, {"collection": collection, "changeover": id})


def current(uow: UnitOfWork, collection: str, id: str) -> ChangeoverRow | None:
    """The changeover while it goes on; None once another was begun, or it or the collection is gone."""
    found = uow.session.get(ChangeoverRow, collection)
    return found if found is not None and found.id == id and found.error is None else None


def give_up(uow: UnitOfWork, collection: str, id: str, error: str) -> None:
    """End a changeover that cannot be made; the collection stays as it is, and tells why."""
    found = current(uow, collection, id)
    if found is None:
        return
    found.error = error
    _drop_vectors(uow, collection)
    uow.audit("collection.reindex_failed", f"collection/{collection}", embedder=found.embedder)


def drop(uow: UnitOfWork, collection: str) -> None:
    _drop_vectors(uow, collection)
    uow.session.execute(delete(ChangeoverRow).where(ChangeoverRow.collection == collection))


def _drop_vectors(uow: UnitOfWork, collection: str) -> None:
    uow.session.execute(delete(ChangeoverVectorRow).where(ChangeoverVectorRow.collection == collection))
