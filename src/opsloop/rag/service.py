"""Collections, uploads, search, answers. Every query starts from one collection; a change bumps its version."""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from opsloop.core.artifacts.store import sha256_hex
from opsloop.core.caller import Role
from opsloop.core.errors import ExtraNeeded, InvalidInput, TooLarge
from opsloop.core.workspace import UnitOfWork
from opsloop.rag import answer as answering
from opsloop.rag import ingest
from opsloop.rag._tables import ChunkRow, CollectionRow, DocumentRow, EmbedderRow, WindowRow
from opsloop.rag.chunk import CHUNKINGS
from opsloop.rag.models import (
    Answer,
    Collection,
    CollectionExists,
    CollectionMissing,
    CollectionName,
    CollectionStats,
    Document,
    DocumentId,
    DocumentMissing,
    FilenameMissing,
    Passage,
    Uploaded,
)
from opsloop.rag.settings import RagSettings
from opsloop.rag.text import count_words, term_ids

DEFAULT_TOP_K = 5
MAX_TOP_K = 50
MAX_QUESTION = 4_000
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")

Filters = Mapping[str, str | Sequence[str]]


class DocumentTooLarge(TooLarge):
    template = (
        "{filename} has {size_bytes} bytes, the limit is {limit_bytes}; "
        "split it, or raise OPSLOOP_RAG_DOCUMENT_LIMIT_BYTES"
    )


def create_collection(
    uow: UnitOfWork, name: str, *, chunking: str = "sentences", vector_weight: float | None = None
) -> Collection:
    """Raises: InvalidInput, CollectionExists."""
    uow.by.require(Role.DEVELOPER)
    _check_new(name, chunking, vector_weight)
    row = CollectionRow(
        name=name,
        chunking=chunking,
        vector_weight=vector_weight,
        version=uow.ids.new("index"),
        created_at=uow.clock.now(),
    )
    try:
        with uow.session.begin_nested():
            uow.session.add(row)
    except IntegrityError as error:
        raise CollectionExists(name=name) from error
    uow.audit("collection.created", f"collection/{name}", chunking=chunking)
    return _collection(row)


def _check_new(name: str, chunking: str, vector_weight: float | None) -> None:
    if not _NAME.fullmatch(name):
        wanted = "1 to 63 lower-case letters, digits, - and _, the first a letter or digit"
        raise InvalidInput(field="collection", value=name, wanted=wanted)
    if chunking not in CHUNKINGS:
        raise InvalidInput(field="chunking", value=chunking, wanted=" or ".join(CHUNKINGS))
    _check_weight(vector_weight)


def _check_weight(vector_weight: float | None) -> None:
    if vector_weight is not None and not 0 <= vector_weight <= 1:
        raise InvalidInput(field="vector_weight", value=vector_weight, wanted="a number from 0 to 1")


def collections(uow: UnitOfWork) -> list[Collection]:
    uow.by.require(Role.VIEWER)
    return [_collection(row) for row in uow.session.scalars(select(CollectionRow).order_by(CollectionRow.name))]


def collection(uow: UnitOfWork, name: str) -> Collection:
    """Raises: CollectionMissing."""
    uow.by.require(Role.VIEWER)
    return _collection(_row(uow, name))


def weigh(uow: UnitOfWork, name: str, vector_weight: float | None) -> Collection:
    """Set the share of vectors in a collection's ranking, 0-1; None: as much as the embedder explains.

    Raises: InvalidInput, CollectionMissing.
    """
    uow.by.require(Role.DEVELOPER)
    _check_weight(vector_weight)
    row = _row(uow, name, for_change=True)
    row.vector_weight = vector_weight
    row.version = uow.ids.new("index")
    uow.session.flush()
    uow.audit("collection.weighed", f"collection/{name}", vector_weight=vector_weight)
    return _collection(row)


def delete_collection(uow: UnitOfWork, name: str) -> None:
    """Remove a collection with all its documents. Raises: CollectionMissing."""
    uow.by.require(Role.DEVELOPER)
    row = _row(uow, name, for_change=True)
    uow.session.delete(row)
    uow.session.flush()
    uow.audit("collection.deleted", f"collection/{name}")


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
    row = _row_or_new(uow, collection)
    digest = sha256_hex(data)
    known = _known(uow, collection, digest)
    if known is not None:
        return Uploaded(DocumentId(known.id), known.chunks, digest, duplicate=True)
    return _store(uow, row, [(ingest.parsed(filename, data, row.chunking), digest)], tags)[0]


def upload_passages(uow: UnitOfWork, collection: str, data: bytes) -> list[Uploaded]:
    """Take in JSON lines of ready passages: one document per source, one chunk per passage, which keeps its id.

    Raises: InvalidInput naming the line, DocumentTooLarge.
    """
    uow.by.require(Role.DEVELOPER)
    _check_size(uow, "the passages", data)
    found = [(parsed, sha256_hex(parsed.text.encode())) for parsed in ingest.parsed_passages(data)]
    row = _row_or_new(uow, collection)
    known = {digest: _known(uow, collection, digest) for _, digest in found}
    new = {digest: parsed for parsed, digest in found if known[digest] is None}
    stored = {one.sha256: one for one in _store(uow, row, [(parsed, digest) for digest, parsed in new.items()], {})}
    uploaded = []
    for _, digest in found:
        kept = known[digest]
        uploaded.append(
            stored[digest] if kept is None else Uploaded(DocumentId(kept.id), kept.chunks, digest, duplicate=True)
        )
    return uploaded


def search(
    uow: UnitOfWork,
    collection: str,
    question: str,
    *,
    top_k: int = DEFAULT_TOP_K,
    filters: Filters | None = None,
    diversity: float = 0.0,
) -> list[Passage]:
    """The chunks that match a question best, the best first; fewer than `top_k` when fewer match.

    Args:
        filters: values a document must have, by `filename`, `document_id` or a key of its metadata; of several values
            any one will do.
        diversity: 0 ranks by score alone; towards 1, chunks like better ones fall back.
    Raises: InvalidInput, CollectionMissing, ExtraNeeded.
    """
    uow.by.require(Role.VIEWER)
    _check_asked(question, top_k, diversity)
    wanted = _filters(filters or {})
    found: list[Passage] = _engine().search(uow, collection, question, top_k=top_k, filters=wanted, diversity=diversity)
    return found


def query(
    uow: UnitOfWork,
    collection: str,
    question: str,
    *,
    top_k: int = DEFAULT_TOP_K,
    filters: Filters | None = None,
) -> Answer:
    """An answer made of exact quotations, or an abstention when the documents support none.

    Raises: InvalidInput, CollectionMissing, ExtraNeeded.
    """
    return answering.answer(question, search(uow, collection, question, top_k=top_k, filters=filters))


def document(uow: UnitOfWork, collection: str, document_id: str) -> Document:
    """Raises: CollectionMissing, DocumentMissing."""
    uow.by.require(Role.VIEWER)
    return _document(_document_row(uow, collection, document_id))


def document_text(uow: UnitOfWork, collection: str, document_id: str) -> str:
    """The stored text that citations point into. Raises: CollectionMissing, DocumentMissing."""
    uow.by.require(Role.VIEWER)
    return _document_row(uow, collection, document_id).text


def passages_of(uow: UnitOfWork, collection: str, filename: str) -> list[Passage]:
    """All chunks of the document of that name, in reading order; of several, those of the one uploaded last.

    Raises: CollectionMissing; FilenameMissing naming the nearest known name.
    """
    uow.by.require(Role.VIEWER)
    row = _newest_named(uow, collection, filename)
    chunks = uow.session.scalars(select(ChunkRow).where(ChunkRow.document_id == row.id).order_by(ChunkRow.number))
    return [
        Passage(
            document_id=DocumentId(row.id),
            filename=row.filename,
            chunk=each.number,
            passage_id=each.passage_id,
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
    _row(uow, collection)
    chosen = select(DocumentRow).where(DocumentRow.collection == collection).order_by(DocumentRow.id)
    if after is not None:
        chosen = chosen.where(DocumentRow.id > after)
    return [_document(row) for row in uow.session.scalars(chosen.limit(max(1, min(limit, 1_000))))]


def delete_document(uow: UnitOfWork, collection: str, document_id: str) -> None:
    """Remove a document: text, chunks, terms and vectors. Raises: CollectionMissing, DocumentMissing."""
    uow.by.require(Role.DEVELOPER)
    row = _row(uow, collection, for_change=True)
    found = _document_row(uow, collection, document_id)
    before = _count(uow, WindowRow, collection)
    uow.session.execute(delete(DocumentRow).where(DocumentRow.id == found.id))
    removed = before - _count(uow, WindowRow, collection)
    _changed(uow, row, removed)
    uow.audit("document.deleted", f"collection/{collection}", document=found.id, sha256=found.sha256)


def stats(uow: UnitOfWork, collection: str) -> CollectionStats:
    """Raises: CollectionMissing."""
    uow.by.require(Role.VIEWER)
    row = _row(uow, collection)
    embedder = uow.session.get(EmbedderRow, collection)
    words = uow.session.scalar(select(func.sum(DocumentRow.words)).where(DocumentRow.collection == collection))
    return CollectionStats(
        collection=CollectionName(row.name),
        documents=_count(uow, DocumentRow, collection),
        chunks=_count(uow, ChunkRow, collection),
        windows=_count(uow, WindowRow, collection),
        words=int(words or 0),
        embedder=embedder.identity if embedder else None,
        vectors_explain=round(embedder.explained, 4) if embedder else None,
    )


def reindex(uow: UnitOfWork, collection: str) -> CollectionStats:
    """Fit the embedder anew on everything the collection holds now. Raises: CollectionMissing, ExtraNeeded."""
    uow.by.require(Role.DEVELOPER)
    row = _row(uow, collection, for_change=True)
    _vectors().fit(uow.session, collection)
    row.version = uow.ids.new("index")
    uow.audit("collection.reindexed", f"collection/{collection}")
    uow.session.flush()
    return stats(uow, collection)


def _check_size(uow: UnitOfWork, filename: str, data: bytes) -> None:
    limit_bytes = uow.workspace.section(RagSettings).rag_document_limit_bytes
    if len(data) > limit_bytes:
        raise DocumentTooLarge(filename=filename, size_bytes=len(data), limit_bytes=limit_bytes)


def _check_asked(question: str, top_k: int, diversity: float) -> None:
    if not question.strip() or len(question) > MAX_QUESTION:
        raise InvalidInput(field="question", value=question, wanted=f"a question of 1 to {MAX_QUESTION} characters")
    if not 1 <= top_k <= MAX_TOP_K:
        raise InvalidInput(field="top_k", value=top_k, wanted=f"a whole number from 1 to {MAX_TOP_K}")
    if not 0 <= diversity < 1:
        raise InvalidInput(field="diversity", value=diversity, wanted="a number from 0 up to, not including, 1")


def _filters(given: Filters) -> dict[str, list[str]]:
    """Every filter as a list of accepted values."""
    wanted = {}
    for key, value in given.items():
        values = [value] if isinstance(value, str) else list(value)
        if not all(isinstance(one, str) for one in values):
            raise InvalidInput(field=f"filters.{key}", value=value, wanted="text or a list of texts")
        wanted[key] = values
    return wanted


def _row(uow: UnitOfWork, name: str, *, for_change: bool = False) -> CollectionRow:
    """The collection; `for_change` puts those who change it in order (SQLite has one writer anyway)."""
    row = uow.session.get(CollectionRow, name, with_for_update=for_change or None)
    if row is None:
        raise CollectionMissing(name=name)
    return row


def _row_or_new(uow: UnitOfWork, name: str) -> CollectionRow:
    """The collection to write to, made when it is not there."""
    try:
        return _row(uow, name, for_change=True)
    except CollectionMissing:
        pass
    with suppress(CollectionExists):  # somebody else may have made it a moment ago
        create_collection(uow, name)
    return _row(uow, name, for_change=True)


def _known(uow: UnitOfWork, collection: str, digest: str) -> DocumentRow | None:
    return uow.session.scalar(
        select(DocumentRow).where(DocumentRow.collection == collection, DocumentRow.sha256 == digest)
    )


def _document_id(collection: str, digest: str) -> str:
    """The same bytes in the same collection have the same id, whenever and wherever they are uploaded."""
    return "doc_" + sha256_hex(f"{collection}\n{digest}".encode())[:26]


def _store(
    uow: UnitOfWork,
    row: CollectionRow,
    found: Sequence[tuple[ingest.Parsed, str]],
    metadata: Mapping[str, str],
) -> list[Uploaded]:
    """Write parsed documents with their terms and vectors."""
    if not found:
        return []
    _changed(uow, row, _write(uow, row.name, found, metadata))
    uploaded = [
        Uploaded(DocumentId(_document_id(row.name, digest)), len(parsed.pieces), digest, duplicate=False)
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
        (_chunk_row(collection, _document_id(collection, digest), number, one, parsed.text), one, parsed.text)
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
        id=_document_id(collection, digest),
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
        text=text[one.piece.start : one.piece.end],
    )


def _stored_terms(text: str) -> bytes:
    ids: array[int] = term_ids(text)
    if sys.byteorder == "big":
        ids.byteswap()
    return ids.tobytes()


def _changed(uow: UnitOfWork, row: CollectionRow, windows: int) -> None:
    """Bring the vectors up to date and give the collection a new version."""
    _vectors().keep_current(uow.session, row.name, changed=windows)
    row.version = uow.ids.new("index")
    uow.session.flush()


def _vectors() -> ModuleType:
    return _loaded("opsloop.rag._vectors")


def _engine() -> ModuleType:
    return _loaded("opsloop.rag._search")


def _loaded(module: str) -> ModuleType:
    """A module that needs numpy, which is an extra: processes that never search do not load it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        raise ExtraNeeded(what="searching documents", extra="rag") from error


def _document_row(uow: UnitOfWork, collection: str, document_id: str) -> DocumentRow:
    _row(uow, collection)
    found = uow.session.get(DocumentRow, document_id)
    if found is None or found.collection != collection:
        raise DocumentMissing(collection=collection, document=document_id)
    return found


def _newest_named(uow: UnitOfWork, collection: str, filename: str) -> DocumentRow:
    _row(uow, collection)
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


def _count(uow: UnitOfWork, table: type[DocumentRow | ChunkRow | WindowRow], collection: str) -> int:
    return uow.session.scalar(select(func.count()).select_from(table).where(table.collection == collection)) or 0


def _collection(row: CollectionRow) -> Collection:
    return Collection(CollectionName(row.name), row.chunking, row.vector_weight, row.created_at)


def _document(row: DocumentRow) -> Document:
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
