"""Deletion that deletes: text, chunks, terms and vectors, bytes that wait, and excerpts that others keep.

What the transaction cannot reach, staged bytes and old pages of the database's file and log, goes when tending hears of
it; who wants staged bytes and the log gone before the answer calls `forget` after the commit. Indexes in memory hold no
text, and nothing can be found by an old one, for every search asks which version of the collection holds; each process
drops the old ones when it tends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.rag._copies import ask_for_dropping
from opsloop.rag._rows import collection_row, document_row
from opsloop.rag._tables import ChunkRow, CollectionRow, DocumentRow, WindowRow
from opsloop.rag.deletion.erasing import erase_elsewhere, erased
from opsloop.rag.ingests import staging
from opsloop.rag.models import Removed
from opsloop.rag.vectors.indexing import changed

BELL = "documents-deleted"
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a deletion removed, and the keys of staged bytes that `forget` has to remove."""

    removed: Removed
    staged: tuple[str, ...] = ()


def delete_document(uow: UnitOfWork, collection: str, document_id: str) -> Deletion:
    """Remove a document: text, chunks, terms, vectors, excerpts of it in traces.

    Raises: CollectionMissing, DocumentMissing.
    """
    uow.by.require(Role.DEVELOPER)
    row = collection_row(uow, collection, for_change=True)
    found = document_row(uow, collection, document_id)
    return delete_documents(uow, row, [found])


def delete_documents(uow: UnitOfWork, row: CollectionRow, documents: Sequence[DocumentRow], **why: str) -> Deletion:
    """The same for several; each is on the record, with the reason."""
    removed = _removed(uow, row.name, [each.id for each in documents])
    staged = staging.withdraw(uow, row.name, [each.sha256 for each in documents])
    uow.session.execute(delete(DocumentRow).where(DocumentRow.id.in_([each.id for each in documents])))
    uow.session.flush()
    changed(uow, row, removed.windows)
    for each in documents:
        uow.audit("document.deleted", f"collection/{row.name}", document=each.id, sha256=each.sha256, **why)
    uow.workspace.database.owe_erasure(uow.session)
    uow.ring(BELL)
    return Deletion(removed, staged)


def delete_collection(uow: UnitOfWork, name: str) -> Deletion:
    """Remove a collection with all its documents. Raises: CollectionMissing."""
    uow.by.require(Role.DEVELOPER)
    row = collection_row(uow, name, for_change=True)
    removed = Removed()
    ids = uow.session.scalars(
        select(DocumentRow.id).where(DocumentRow.collection == name).order_by(DocumentRow.id)
    ).all()
    for first in range(0, len(ids), _AT_ONCE):
        removed += _removed(uow, name, ids[first : first + _AT_ONCE])
    staged = staging.waiting(uow, name)
    uow.session.delete(row)
    uow.session.flush()
    ask_for_dropping(uow, row)
    uow.audit("collection.deleted", f"collection/{name}", documents=removed.documents)
    uow.workspace.database.owe_erasure(uow.session)
    uow.ring(BELL)
    return Deletion(removed, staged)


def forget(workspace: Workspace, deletion: Deletion) -> None:
    """Let go at once of what the transaction of a deletion could not reach; what is left of it, tending lets go."""
    for key in deletion.staged:
        workspace.artifacts.delete(key)
    workspace.database.cut_log()


def _removed(uow: UnitOfWork, collection: str, ids: Sequence[str]) -> Removed:
    """What goes with these documents, and what others kept of them, erased."""
    documents = dict(uow.session.execute(select(DocumentRow.id, DocumentRow.text).where(DocumentRow.id.in_(ids))).all())
    of_these = select(ChunkRow.seq).where(ChunkRow.document_id.in_(ids))
    chunks = uow.session.scalar(select(func.count()).select_from(of_these.subquery())) or 0
    windows = uow.session.scalar(select(func.count()).where(WindowRow.chunk_seq.in_(of_these))) or 0
    excerpts = erase_elsewhere(uow, erased(collection, documents))
    return Removed(documents=len(documents), chunks=chunks, windows=windows, excerpts=excerpts)
