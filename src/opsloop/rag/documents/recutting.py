"""Cut the documents of a collection in another way, from their stored texts; their ids stay."""

from __future__ import annotations

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import undefer

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.rag._rows import as_collection, collection_row
from opsloop.rag._tables import ChunkRow, DocumentRow
from opsloop.rag.documents import storing
from opsloop.rag.models import Collection
from opsloop.rag.parsing.pieces import cut
from opsloop.rag.text.chunk import CHUNKINGS
from opsloop.rag.vectors.indexing import changed


def recut(uow: UnitOfWork, collection: str, chunking: str) -> Collection:
    """Documents that came as ready passages stay as they are. Raises: InvalidInput, CollectionMissing, ExtraNeeded."""
    uow.by.require(Role.DEVELOPER)
    if chunking not in CHUNKINGS:
        raise InvalidInput(field="chunking", value=chunking, wanted=" or ".join(CHUNKINGS))
    row = collection_row(uow, collection, for_change=True)
    if row.chunking == chunking:
        return as_collection(row)
    are_ready = exists().where(ChunkRow.document_id == DocumentRow.id, ChunkRow.passage_id.is_not(None))
    ids = uow.session.scalars(select(DocumentRow.id).where(DocumentRow.collection == collection, ~are_ready)).all()
    row.chunking = chunking
    windows = sum(_recut(uow, document_id, chunking) for document_id in ids)  # one text in memory at a time
    changed(uow, row, windows)
    uow.audit("collection.recut", f"collection/{collection}", chunking=chunking)
    return as_collection(row)


def _recut(uow: UnitOfWork, document_id: str, chunking: str) -> int:
    """How many windows the document has now."""
    document = uow.session.get_one(DocumentRow, document_id, options=[undefer(DocumentRow.text)])
    uow.session.execute(delete(ChunkRow).where(ChunkRow.document_id == document_id))
    pieces = cut(document.text, chunking)
    storing.write_pieces(uow, document.collection, [(document_id, document.text, pieces)])
    document.chunks = len(pieces)
    document.revision = None
    uow.session.flush()
    uow.session.expunge(document)
    return sum(len(one.piece.windows) for one in pieces)
