"""The pieces that a document was cut into, by the place in its text where they stand."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select

from opsloop.core.workspace import UnitOfWork
from opsloop.rag._tables import ChunkRow
from opsloop.rag.documents.service import document

MOST_CHUNKS = 20


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document as it is indexed: the text at [start:end]; `number` counts from 0."""

    number: int
    start: int
    end: int
    heading: str


def chunks_at(uow: UnitOfWork, collection: str, document_id: str, start: int, end: int) -> list[Chunk]:
    """The chunks that hold some of a document's [start:end], in reading order, at most 20.

    Raises: CollectionMissing, DocumentMissing.
    """
    return _chunks(uow, collection, document_id, ChunkRow.start < end, ChunkRow.end > start)


def chunk_numbered(uow: UnitOfWork, collection: str, document_id: str, number: int) -> list[Chunk]:
    """The one chunk of that number, or none. Raises: CollectionMissing, DocumentMissing."""
    return _chunks(uow, collection, document_id, ChunkRow.number == number)


def _chunks(uow: UnitOfWork, collection: str, document_id: str, *wanted: ColumnElement[bool]) -> list[Chunk]:
    found = document(uow, collection, document_id)
    chosen = select(ChunkRow.number, ChunkRow.start, ChunkRow.end, ChunkRow.heading)
    rows = uow.session.execute(
        chosen.where(ChunkRow.document_id == found.id, *wanted).order_by(ChunkRow.number).limit(MOST_CHUNKS)
    )
    return [Chunk(*row) for row in rows]
