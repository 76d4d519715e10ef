"""A collection's vectors, brought up to date with what it holds. Each change gives it a new version."""

from __future__ import annotations

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.rag._engines import vectors
from opsloop.rag._rows import collection_row
from opsloop.rag._tables import CollectionRow
from opsloop.rag.collections import stats
from opsloop.rag.models import CollectionStats


def reindex(uow: UnitOfWork, collection: str) -> CollectionStats:
    """Fit the embedder anew on everything the collection holds now. Raises: CollectionMissing, ExtraNeeded."""
    uow.by.require(Role.DEVELOPER)
    row = collection_row(uow, collection, for_change=True)
    vectors().fit(uow.session, collection)
    row.version = uow.ids.new("index")
    uow.audit("collection.reindexed", f"collection/{collection}")
    uow.session.flush()
    return stats(uow, collection)


def changed(uow: UnitOfWork, row: CollectionRow, windows: int) -> None:
    """Bring the vectors up to date and give the collection a new version."""
    vectors().keep_current(uow.session, row.name, changed=windows)
    row.version = uow.ids.new("index")
    uow.session.flush()
