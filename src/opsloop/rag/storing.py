"""Documents taken in: parsed, and written with their chunks, terms and vectors. The same bytes are stored once."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Mapping, Sequence

from opsloop.core.artifacts.store import sha256_hex
from opsloop.core.caller import Role
from opsloop.core.errors import TooLarge
from opsloop.core.workspace import UnitOfWork
from opsloop.rag import ingest
from opsloop.rag._rows import document_id_of, known_document
from opsloop.rag._tables import ChunkRow, CollectionRow, DocumentRow, WindowRow
from opsloop.rag.collections import row_or_new
from opsloop.rag.indexing import changed
from opsloop.rag.models import DocumentId, Uploaded
from opsloop.rag.settings import RagSettings
from opsloop.rag.text import count_words, term_ids


class DocumentTooLarge(TooLarge):
    template = (
        "{filename} has {size_bytes} bytes, the limit is {limit_bytes}; "
        "split it, or raise OPSLOOP_RAG_DOCUMENT_LIMIT_BYTES"
    )


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
    uow.by.require(Role.DEVELOPER)
    ingest.checked_filename(filename)
    _check_size(uow, filename, data)
    tags = ingest.checked_metadata(metadata or {})
    row = row_or_new(uow, collection)
    digest = sha256_hex(data)
    known = known_document(uow, collection, digest)
    if known is not None:
        return Uploaded(DocumentId(known.id), known.chunks, digest, duplicate=True)
    return store(uow, row, [(ingest.parsed(filename, data, row.chunking), digest)], tags)[0]


def upload_passages(uow: UnitOfWork, collection: str, data: bytes) -> list[Uploaded]:
    """Take in JSON lines of ready passages: one document per source, one chunk per passage, which keeps its id.

    Raises: InvalidInput naming the line, DocumentTooLarge.
    """
    uow.by.require(Role.DEVELOPER)
    _check_size(uow, "the passages", data)
    found = [(parsed, sha256_hex(parsed.text.encode())) for parsed in ingest.parsed_passages(data)]
    row = row_or_new(uow, collection)
    known = {digest: known_document(uow, collection, digest) for _, digest in found}
    new = {digest: parsed for parsed, digest in found if known[digest] is None}
    stored = {one.sha256: one for one in store(uow, row, [(parsed, digest) for digest, parsed in new.items()], {})}
    uploaded = []
    for _, digest in found:
        kept = known[digest]
        uploaded.append(
            stored[digest] if kept is None else Uploaded(DocumentId(kept.id), kept.chunks, digest, duplicate=True)
        )
    return uploaded


def _check_size(uow: UnitOfWork, filename: str, data: bytes) -> None:
    limit_bytes = uow.workspace.section(RagSettings).rag_document_limit_bytes
    if len(data) > limit_bytes:
        raise DocumentTooLarge(filename=filename, size_bytes=len(data), limit_bytes=limit_bytes)


def store(
    uow: UnitOfWork,
    row: CollectionRow,
    found: Sequence[tuple[ingest.Parsed, str]],
    metadata: Mapping[str, str],
) -> list[Uploaded]:
    """Write parsed documents with their terms and vectors."""
    if not found:
        return []
    changed(uow, row, _write(uow, row.name, found, metadata))
    uploaded = [
        Uploaded(DocumentId(document_id_of(row.name, digest)), len(parsed.pieces), digest, duplicate=False)
        for parsed, digest in found
    ]
    for one, (parsed, _) in zip(uploaded, found, strict=True):
        uow.audit(
            "document.uploaded",
            f"collection/{row.name}",
            document=one.document_id,
            filename=parsed.filename,
            sha256=one.sha256,
        )
    return uploaded


def _write(
    uow: UnitOfWork, collection: str, found: Sequence[tuple[ingest.Parsed, str]], metadata: Mapping[str, str]
) -> int:
    """The rows of documents, of their chunks, of their windows; returns how many windows there are."""
    session = uow.session
    session.add_all([_document_row_of(uow, collection, parsed, digest, metadata) for parsed, digest in found])
    session.flush()
    chunks = [
        (_chunk_row(collection, document_id_of(collection, digest), number, one, parsed.text), one, parsed.text)
        for parsed, digest in found
        for number, one in enumerate(parsed.pieces)
    ]
    session.add_all([row for row, _, _ in chunks])
    session.flush()
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
    session.add_all(windows)
    session.flush()
    return len(windows)


def _document_row_of(
    uow: UnitOfWork, collection: str, parsed: ingest.Parsed, digest: str, metadata: Mapping[str, str]
) -> DocumentRow:
    return DocumentRow(
        id=document_id_of(collection, digest),
        collection=collection,
        filename=parsed.filename,
        sha256=digest,
        media_type=parsed.media_type,
        chunks=len(parsed.pieces),
        words=count_words(parsed.text),
        metadata_=dict(metadata),
        created_at=uow.clock.now(),
        text=parsed.text,
    )


def write_pieces(
    uow: UnitOfWork, collection: str, document_id: str, text: str, pieces: Sequence[ingest.ReadyPiece]
) -> None:
    """The chunks of a document that is there, and their windows."""
    rows = [_chunk_row(collection, document_id, number, one, text) for number, one in enumerate(pieces)]
    uow.session.add_all(rows)
    uow.session.flush()
    uow.session.add_all(
        WindowRow(
            collection=collection,
            chunk_seq=row.seq,
            start=window.start,
            end=window.end,
            terms=_stored_terms(text[window.start : window.end]),
            vector=None,
        )
        for row, one in zip(rows, pieces, strict=True)
        for window in one.piece.windows
    )
    uow.session.flush()


def _chunk_row(collection: str, document_id: str, number: int, one: ingest.ReadyPiece, text: str) -> ChunkRow:
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
