"""A collection's vectors, brought up to date with what it holds. Each change gives it a new version."""

from __future__ import annotations

from sqlalchemy import delete, update

from opsloop.core.caller import Role
from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork
from opsloop.rag._engines import vectors
from opsloop.rag._rows import collection_row
from opsloop.rag._tables import CollectionRow, DocumentRow, EmbedderRow, WindowRow
from opsloop.rag.collections import stats
from opsloop.rag.models import LSA, CollectionStats

EMBED = "rag.embed"
UNCOMMITTED = "opsloop.rag.uncommitted"


def reindex(uow: UnitOfWork, collection: str) -> CollectionStats:
    """Make all vectors anew: fit the offline embedder on everything there is, or have the collection's own asked again.

    Raises: CollectionMissing, ExtraNeeded.
    """
    uow.by.require(Role.DEVELOPER)
    row = collection_row(uow, collection, for_change=True)
    if is_fitted(row):
        vectors().fit(uow.session, collection)
        row.version = uow.ids.new("index")
    else:
        _forget_vectors(uow, row)
    uow.audit("collection.reindexed", f"collection/{collection}")
    uow.session.flush()
    return stats(uow, collection)


def is_fitted(row: CollectionRow) -> bool:
    """Whether the collection's embedder is the one that is fitted on it."""
    return row.embedder is None or row.embedder == LSA


def changed(uow: UnitOfWork, row: CollectionRow, windows: int) -> None:
    """Bring the vectors up to date and give the collection a new version."""
    if is_fitted(row):
        vectors().keep_current(uow.session, row.name, changed=windows)
    else:
        ask_for_vectors(uow, row.name)
    revise(uow, row)


def revise(uow: UnitOfWork, row: CollectionRow) -> None:
    """A new version and revision, with which documents whose revision is unset are noted as changed."""
    row.version = uow.ids.new("index")
    row.lineage = row.lineage or uow.ids.new("index")
    row.revision += 1
    uow.session.flush()
    open_documents = update(DocumentRow).where(DocumentRow.collection == row.name, DocumentRow.revision.is_(None))
    uow.session.execute(open_documents.values(revision=row.revision).execution_options(synchronize_session=False))
    # An index that knows what is not committed must not outlive this transaction.
    uow.session.info.setdefault(UNCOMMITTED, set()).add(row.name)


def _forget_vectors(uow: UnitOfWork, row: CollectionRow) -> None:
    uow.session.execute(delete(EmbedderRow).where(EmbedderRow.collection == row.name))
    uow.session.execute(update(WindowRow).where(WindowRow.collection == row.name).values(vector=None))
    ask_for_vectors(uow, row.name)
    revise(uow, row)


def ask_for_vectors(uow: UnitOfWork, collection: str) -> None:
    """Have a job make the vectors that are missing once this transaction is committed."""
    jobs.enqueue(uow, EMBED, {"collection": collection})
