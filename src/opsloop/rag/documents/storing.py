"""Documents taken in: parsed, and written with their chunks, terms and vectors. The same bytes are stored once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Table, insert, select

from opsloop.core.artifacts.store import sha256_hex
from opsloop.core.caller import Caller, Role
from opsloop.core.db.many import insert_new
from opsloop.core.errors import TooLarge
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.rag._rows import collection_row, document_id_of, known_documents
from opsloop.rag._tables import ChunkRow, CollectionRow, DocumentRow, WindowRow
from opsloop.rag.collections import DEFAULT_CHUNKING, row_or_new
from opsloop.rag.models import CollectionMissing, DocumentId, Uploaded
from opsloop.rag.parsing import pieces
from opsloop.rag.settings import RagSettings
from opsloop.rag.vectors.indexing import changed


class DocumentTooLarge(TooLarge):
    template = (
        "{filename} has {size_bytes} bytes, the limit is {limit_bytes}; "
        "split it, or raise OPSLOOP_RAG_DOCUMENT_LIMIT_BYTES"
    )


@dataclass(frozen=True, slots=True)
class Ready:
    """A document that was read and can be stored; `sha256` names the bytes it came as."""

    parsed: pieces.Parsed
    sha256: str
    metadata: Mapping[str, str] = field(default_factory=dict)


def take_in(
    workspace: Workspace,
    by: Caller,
    collection: str,
    filename: str,
    data: bytes,
    *,
    metadata: Mapping[str, str] | None = None,
) -> Uploaded:
    """`upload` in transactions of its own: the document is read between them, so that nobody who writes waits for it.

    Raises: as `upload` does.
    """
    with workspace.reading(by) as uow:
        _check(uow, filename, data, metadata)
        try:
            row = collection_row(uow, collection, for_change=True, is_locked=False)
        except CollectionMissing:
            chunking = DEFAULT_CHUNKING
        else:
            known = known_documents(uow, collection, [digest := sha256_hex(data)]).get(digest)
            if known is not None:
                return _duplicate(known)
            chunking = row.chunking
    read = pieces.parsed(filename, data, chunking)
    with workspace.writing(by) as uow:
        row = row_or_new(uow, collection)
        if row.chunking != chunking:  # cut anew meanwhile
            read = pieces.parsed(filename, data, row.chunking)
        return store(uow, row, [Ready(read, sha256_hex(data), dict(metadata or {}))])[0]


def upload(
    uow: UnitOfWork,
    collection: str,
    filename: str,
    data: bytes,
    *,
    metadata: Mapping[str, str] | None = None,
) -> Uploaded:
    """Take a document in; the collection is made when it is not there. The same bytes are stored once.

    Raises: InvalidInput, UnsupportedDocument, UnreadableDocument, DocumentTooLarge.
    """
    _check(uow, filename, data, metadata)
    row = row_or_new(uow, collection)
    digest = sha256_hex(data)
    known = known_documents(uow, collection, [digest]).get(digest)
    if known is not None:
        return _duplicate(known)
    return store(uow, row, [Ready(pieces.parsed(filename, data, row.chunking), digest, dict(metadata or {}))])[0]


def _check(uow: UnitOfWork, filename: str, data: bytes, metadata: Mapping[str, str] | None) -> None:
    uow.by.require(Role.DEVELOPER)
    pieces.checked_filename(filename)
    check_size(uow.workspace, filename, len(data))
    pieces.checked_metadata(metadata or {})


def upload_passages(uow: UnitOfWork, collection: str, data: bytes) -> list[Uploaded]:
    """Take in JSON lines of ready passages: one document per source, one chunk per passage, which keeps its id.

    Raises: InvalidInput naming the line, DocumentTooLarge.
    """
    uow.by.require(Role.DEVELOPER)
    check_size(uow.workspace, "the passages", len(data))
    found = [Ready(parsed, sha256_hex(parsed.text.encode())) for parsed in pieces.parsed_passages(data)]
    return store(uow, row_or_new(uow, collection), found)


def store(uow: UnitOfWork, row: CollectionRow, found: Sequence[Ready]) -> list[Uploaded]:
    """Write documents with their terms and vectors; what is there already, or comes twice, is a duplicate."""
    known = known_documents(uow, row.name, [one.sha256 for one in found])
    new: dict[str, Ready] = {}
    uploaded = []
    for one in found:
        document_id, chunks = DocumentId(document_id_of(row.name, one.sha256)), len(one.parsed.pieces)
        if one.sha256 in known:
            uploaded.append(_duplicate(known[one.sha256]))
        else:
            uploaded.append(Uploaded(document_id, chunks, one.sha256, duplicate=one.sha256 in new))
            new.setdefault(one.sha256, one)
    if new:
        changed(uow, row, _write(uow, row.name, list(new.values())))
        _record(uow, row.name, new.values())
    return uploaded


def check_size(workspace: Workspace, filename: str, size_bytes: int) -> None:
    """Raises: DocumentTooLarge."""
    limit_bytes = workspace.section(RagSettings).rag_document_limit_bytes
    if size_bytes > limit_bytes:
        raise DocumentTooLarge(filename=filename, size_bytes=size_bytes, limit_bytes=limit_bytes)


def _duplicate(known: DocumentRow) -> Uploaded:
    return Uploaded(DocumentId(known.id), known.chunks, known.sha256, duplicate=True)


def _record(uow: UnitOfWork, collection: str, new: Iterable[Ready]) -> None:
    for one in new:
        uow.audit(
            "document.uploaded",
            f"collection/{collection}",
            document=document_id_of(collection, one.sha256),
            filename=one.parsed.filename,
            sha256=one.sha256,
        )


def _write(uow: UnitOfWork, collection: str, found: Sequence[Ready]) -> int:
    """The rows of documents, of their chunks, of their windows; returns how many windows there are."""
    uow.session.execute(insert(DocumentRow), [_document_values(uow, collection, one) for one in found])
    cut = [(document_id_of(collection, one.sha256), one.parsed.text, one.parsed.pieces) for one in found]
    return write_pieces(uow, collection, cut)


def _document_values(uow: UnitOfWork, collection: str, one: Ready) -> dict[str, Any]:
    return {
        "id": document_id_of(collection, one.sha256),
        "collection": collection,
        "filename": one.parsed.filename,
        "sha256": one.sha256,
        "media_type": one.parsed.media_type,
        "chunks": len(one.parsed.pieces),
        "words": one.parsed.words,
        "metadata_": dict(one.metadata),
        "created_at": uow.clock.now(),
        "text": one.parsed.text,
        "revision": None,
    }


_CHUNKS, _WINDOWS = cast(Table, ChunkRow.__table__), cast(Table, WindowRow.__table__)
_CHUNK_COLUMNS = (
    *("collection", "document_id", "number", "start", "end"),
    *("heading", "heading_terms", "passage_id", "page", "text"),
)
_WINDOW_COLUMNS = ("collection", "chunk_seq", "start", "end", "terms")
# The numbers that chunks were given are asked for of so many documents at once.
_DOCUMENTS_AT_ONCE = 500


def write_pieces(uow: UnitOfWork, collection: str, cut: Sequence[tuple[str, str, Sequence[pieces.ReadyPiece]]]) -> int:
    """The chunks and windows of documents that are there; returns how many windows there are.

    Args:
        cut: each document's id, text and pieces.
    """
    parts = [cut[first : first + _DOCUMENTS_AT_ONCE] for first in range(0, len(cut), _DOCUMENTS_AT_ONCE)]
    return sum(_write_pieces(uow, collection, part) for part in parts)


def _write_pieces(uow: UnitOfWork, collection: str, cut: Sequence[tuple[str, str, Sequence[pieces.ReadyPiece]]]) -> int:
    chunks = [
        _chunk_values(collection, document_id, number, one, text)
        for document_id, text, pieces in cut
        for number, one in enumerate(pieces)
    ]
    insert_new(uow.session, _CHUNKS, _CHUNK_COLUMNS, chunks)
    asked = select(ChunkRow.document_id, ChunkRow.number, ChunkRow.seq)
    rows = uow.session.execute(asked.where(ChunkRow.document_id.in_([document_id for document_id, _, _ in cut])))
    seqs = {(document_id, number): seq for document_id, number, seq in rows}
    windows = [
        (collection, seqs[document_id, number], window.start, window.end, terms)
        for document_id, _, pieces in cut
        for number, one in enumerate(pieces)
        for window, terms in zip(one.piece.windows, one.window_terms, strict=True)
    ]
    insert_new(uow.session, _WINDOWS, _WINDOW_COLUMNS, windows)
    return len(windows)


def _chunk_values(
    collection: str, document_id: str, number: int, one: pieces.ReadyPiece, text: str
) -> tuple[object, ...]:
    piece = one.piece
    return (
        *(collection, document_id, number, piece.start, piece.end),
        *(piece.heading, one.heading_terms, one.passage_id, piece.page, text[piece.start : piece.end]),
    )
