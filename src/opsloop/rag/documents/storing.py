"""Documents taken in: parsed, and written with their chunks, terms and vectors. The same bytes are stored once."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from opsloop.core.artifacts.store import sha256_hex
from opsloop.core.caller import Caller, Role
from opsloop.core.errors import TooLarge
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.rag._rows import collection_row, document_id_of, known_documents
from opsloop.rag._tables import ChunkRow, CollectionRow, DocumentRow, WindowRow
from opsloop.rag.collections import DEFAULT_CHUNKING, row_or_new
from opsloop.rag.models import CollectionMissing, DocumentId, Uploaded
from opsloop.rag.parsing import pieces
from opsloop.rag.settings import RagSettings
from opsloop.rag.text.words import count_words, term_ids
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
    uow.session.add_all([_document_row_of(uow, collection, one) for one in found])
    uow.session.flush()
    cut = [(document_id_of(collection, one.sha256), one.parsed.text, one.parsed.pieces) for one in found]
    return write_pieces(uow, collection, cut)


def _document_row_of(uow: UnitOfWork, collection: str, one: Ready) -> DocumentRow:
    return DocumentRow(
        id=document_id_of(collection, one.sha256),
        collection=collection,
        filename=one.parsed.filename,
        sha256=one.sha256,
        media_type=one.parsed.media_type,
        chunks=len(one.parsed.pieces),
        words=count_words(one.parsed.text),
        metadata_=dict(one.metadata),
        created_at=uow.clock.now(),
        text=one.parsed.text,
    )


def write_pieces(uow: UnitOfWork, collection: str, cut: Iterable[tuple[str, str, Sequence[pieces.ReadyPiece]]]) -> int:
    """The chunks and windows of documents that are there; returns how many windows there are.

    Args:
        cut: each document's id, text and pieces.
    """
    chunks = [
        (_chunk_row(collection, document_id, number, one, text), one, text)
        for document_id, text, pieces in cut
        for number, one in enumerate(pieces)
    ]
    uow.session.add_all([row for row, _, _ in chunks])
    uow.session.flush()
    windows = [
        WindowRow(
            collection=collection,
            chunk_seq=row.seq,
            start=window.start,
            end=window.end,
            terms=_stored_terms(text[window.start : window.end]),
            vector=None,
        )
        for row, one, text in chunks
        for window in one.piece.windows
    ]
    uow.session.add_all(windows)
    uow.session.flush()
    return len(windows)


def _chunk_row(collection: str, document_id: str, number: int, one: pieces.ReadyPiece, text: str) -> ChunkRow:
    return ChunkRow(
        collection=collection,
        document_id=document_id,
        number=number,
        start=one.piece.start,
        end=one.piece.end,
        heading=one.piece.heading,
        heading_terms=_stored_terms(one.piece.heading),
        passage_id=one.passage_id,
        page=one.piece.page,
        text=text[one.piece.start : one.piece.end],
    )


def _stored_terms(text: str) -> bytes:
    ids: array[int] = term_ids(text)
    if sys.byteorder == "big":
        ids.byteswap()
    return ids.tobytes()
