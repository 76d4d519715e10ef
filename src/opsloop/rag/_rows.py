"""The rows that a call speaks of, and what is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from sqlalchemy import func, select

from opsloop.core.artifacts.store import sha256_hex
from opsloop.core.workspace import UnitOfWork
from opsloop.rag import access
from opsloop.rag._tables import ChangeoverVectorRow, ChunkRow, CollectionRow, DocumentRow, WindowRow
from opsloop.rag.models import (
    EMBEDDED,
    LSA,
    Collection,
    CollectionClosed,
    CollectionMissing,
    CollectionName,
    Document,
    DocumentId,
    DocumentMissing,
    FilenameMissing,
)


def collection_row(
    uow: UnitOfWork, name: str, *, for_change: bool = False, is_locked: bool | None = None
) -> CollectionRow:
    """The collection, for a caller who may read or change it.

    Args:
        is_locked: whether those who change it wait for each other (SQLite has one writer anyway); None: `for_change`.
    Raises: CollectionMissing; CollectionClosed to a caller whom its access leaves out.
    """
    is_locked = for_change if is_locked is None else is_locked
    row = uow.session.get(CollectionRow, name, with_for_update=is_locked or None)
    if row is None:
        raise CollectionMissing(name=name)
    if not access.allows(uow.by, row.readers, row.writers, for_change=for_change):
        raise CollectionClosed(caller=uow.by.name, wanted="change" if for_change else "read", name=name)
    return row


def document_row(uow: UnitOfWork, collection: str, document_id: str) -> DocumentRow:
    collection_row(uow, collection)
    found = uow.session.get(DocumentRow, document_id)
    if found is None or found.collection != collection:
        raise DocumentMissing(collection=collection, document=document_id)
    return found


def newest_named(uow: UnitOfWork, collection: str, filename: str) -> DocumentRow:
    collection_row(uow, collection)
    inside = select(DocumentRow).where(DocumentRow.collection == collection)
    named = inside.where(DocumentRow.filename == filename).order_by(
        DocumentRow.created_at.desc(), DocumentRow.id.desc()
    )
    found = uow.session.scalar(named.limit(1))
    if found is None:
        names = select(DocumentRow.filename).where(DocumentRow.collection == collection).limit(1_000)
        close = get_close_matches(filename, uow.session.scalars(names).all(), n=1)
        near = f"; did you mean {close[0]!r}?" if close else ""
        raise FilenameMissing(collection=collection, filename=filename, near=near)
    return found


def known_documents(uow: UnitOfWork, collection: str, digests: Sequence[str]) -> dict[str, DocumentRow]:
    """Documents of the collection that came as these bytes, by the hash of the bytes."""
    asked = select(DocumentRow).where(DocumentRow.collection == collection, DocumentRow.sha256.in_(digests))
    return {row.sha256: row for row in uow.session.scalars(asked)}


def document_id_of(collection: str, digest: str) -> str:
    """The same bytes in the same collection have the same id, whenever and wherever they are uploaded."""
    return "doc_" + sha256_hex(f"{collection}\n{digest}".encode())[:26]


def count(
    uow: UnitOfWork, table: type[DocumentRow | ChunkRow | WindowRow | ChangeoverVectorRow], collection: str
) -> int:
    return uow.session.scalar(select(func.count()).select_from(table).where(table.collection == collection)) or 0


def as_collection(row: CollectionRow) -> Collection:
    return Collection(
        name=CollectionName(row.name),
        chunking=row.chunking,
        vector_weight=row.vector_weight,
        created_at=row.created_at,
        min_support=row.min_support,
        embedder=row.embedder or LSA,
        readers=None if row.readers is None else tuple(row.readers),
        writers=None if row.writers is None else tuple(row.writers),
        retention_days=row.retention_days,
        store=row.store or EMBEDDED,
    )


def as_document(row: DocumentRow) -> Document:
    return Document(
        id=DocumentId(row.id),
        collection=CollectionName(row.collection),
        filename=row.filename,
        sha256=row.sha256,
        media_type=row.media_type,
        chunks=row.chunks,
        words=row.words,
        metadata=row.metadata_,
        created_at=row.created_at,
    )
