"""A collection's vectors, brought up to date with what it holds. Each change gives it a new version."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from opsloop.core.caller import Caller, Role
from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.rag._copies import ask_for_copy
from opsloop.rag._engines import changing_over, vectors
from opsloop.rag._rows import collection_row
from opsloop.rag._tables import ChangeoverRow, ChangeoverVectorRow, CollectionRow, DocumentRow, EmbedderRow, WindowRow
from opsloop.rag.collections import check_embedder, stats
from opsloop.rag.models import LSA, CollectionStats
from opsloop.rag.vectors import changeovers

EMBED = "rag.embed"
UNCOMMITTED = "opsloop.rag.uncommitted"


def reindex(uow: UnitOfWork, collection: str, embedder: str | None = None) -> CollectionStats:
    """Make all vectors anew, with another embedder where one is named.

    The offline embedder is fitted here and now on everything there is, when it is the collection's own. For any other a
    job makes the vectors, while the old ones serve; who asked first for another embedder is overruled.

    Raises: InvalidInput, CollectionMissing, ExtraNeeded.
    """
    uow.by.require(Role.DEVELOPER)
    row = collection_row(uow, collection, for_change=True)
    wanted = embedder if embedder is not None else row.embedder or LSA
    check_embedder(wanted)
    if wanted == LSA and is_fitted(row):
        changeovers.drop(uow, collection)
        vectors().fit(uow.session, collection)
        row.version = uow.ids.new("index")
        ask_for_copy(uow, row)
        uow.audit("collection.reindexed", f"collection/{collection}", embedder=LSA)
        uow.session.flush()
    else:
        changeovers.begin(uow, collection, wanted)
    return stats(uow, collection)


def check_reachable(workspace: Workspace, caller: Caller, collection: str, embedder: str) -> None:
    """Have an embedder read a word before a collection is re-indexed with it: who names one that is away hears of it.

    Raises: InvalidInput, CollectionMissing, EmbedderAway, ExtraNeeded.
    """
    check_embedder(embedder)
    with workspace.reading(caller) as uow:
        uow.by.require(Role.DEVELOPER)
        collection_row(uow, collection)
    changing_over().check(workspace, collection, embedder)


def settle(uow: UnitOfWork, row: CollectionRow) -> None:
    """End a changeover: all its vectors are made, and from this transaction on they serve."""
    changeover = uow.session.get_one(ChangeoverRow, row.name)
    uow.session.execute(delete(EmbedderRow).where(EmbedderRow.collection == row.name))
    row.embedder = changeover.embedder
    if row.embedder == LSA:
        vectors().fit(uow.session, row.name)
    elif changeover.space is not None:
        made = select(ChangeoverVectorRow.vector).where(ChangeoverVectorRow.window_seq == WindowRow.seq)
        uow.session.execute(
            update(WindowRow)
            .where(WindowRow.collection == row.name)
            .values(vector=made.scalar_subquery())
            .execution_options(synchronize_session=False)
        )
        uow.session.add(embedder_row(row.name, changeover.space))
    changeovers.drop(uow, row.name)
    row.lineage = uow.ids.new("index")  # no index in memory goes on from vectors of another space
    revise(uow, row)
    uow.audit("collection.reindexed", f"collection/{row.name}", embedder=row.embedder)


def embedder_row(collection: str, space: str) -> EmbedderRow:
    """An embedder that is not fitted, by the space of its vectors."""
    return EmbedderRow(
        collection=collection, identity=space, explained=1.0, fitted_windows=0, windows_changed=0, data=b""
    )


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
    ask_for_copy(uow, row)
    # An index that knows what is not committed must not outlive this transaction.
    uow.session.info.setdefault(UNCOMMITTED, set()).add(row.name)


def ask_for_vectors(uow: UnitOfWork, collection: str) -> None:
    """Have a job make the vectors that are missing once this transaction is committed."""
    jobs.enqueue(uow, EMBED, {"collection": collection})
