"""Documents of a collection: listed and read."""

from __future__ import annotations

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.rag._rows import as_document, collection_row, document_row, newest_named
from opsloop.rag._tables import ChunkRow, DocumentRow
from opsloop.rag.models import Document, DocumentId, Passage


def document(uow: UnitOfWork, collection: str, document_id: str) -> Document:
    """Raises: CollectionMissing, DocumentMissing."""
    uow.by.require(Role.VIEWER)
    return as_document(document_row(uow, collection, document_id))


def document_text(uow: UnitOfWork, collection: str, document_id: str) -> str:
    """The stored text that citations point into. Raises: CollectionMissing, DocumentMissing."""
    uow.by.require(Role.VIEWER)
    return document_row(uow, collection, document_id).text


def passages_of(uow: UnitOfWork, collection: str, filename: str) -> list[Passage]:
    """All chunks of the document of that name, in reading order; of several, those of the one uploaded last.

    Raises: CollectionMissing; FilenameMissing naming the nearest known name.
    """
    uow.by.require(Role.VIEWER)
    row = newest_named(uow, collection, filename)
    chunks = uow.session.scalars(select(ChunkRow).where(ChunkRow.document_id == row.id).order_by(ChunkRow.number))
    return [
        Passage(
            document_id=DocumentId(row.id),
            filename=row.filename,
            chunk=each.number,
            passage_id=each.passage_id,
            page=each.page,
            heading=each.heading,
            text=each.text,
            start=each.start,
            end=each.end,
            window_start=each.start,
            window_end=each.end,
            score=1.0,
            similarity=0.0,
            metadata=row.metadata_,
        )
        for each in chunks
    ]


def list_documents(uow: UnitOfWork, collection: str, *, after: str | None = None, limit: int = 100) -> list[Document]:
    """Documents in the order of their ids; `after` continues a listing. Raises: CollectionMissing."""
    uow.by.require(Role.VIEWER)
    collection_row(uow, collection)
    chosen = select(DocumentRow).where(DocumentRow.collection == collection).order_by(DocumentRow.id)
    if after is not None:
        chosen = chosen.where(DocumentRow.id > after)
    return [as_document(row) for row in uow.session.scalars(chosen.limit(max(1, min(limit, 1_000))))]
