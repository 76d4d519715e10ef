"""Search a stored collection: load its index, rank, read the passages. Loads numpy; `service` loads it on first use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, select

from opsloop.core.errors import Unavailable
from opsloop.core.workspace import UnitOfWork
from opsloop.rag import _vectors, retrieve
from opsloop.rag._tables import ChunkRow, CollectionRow, DocumentRow, EmbedderRow, WindowRow
from opsloop.rag.index.cache import cache_of
from opsloop.rag.index.memory import BuiltIndex, StoredWindow, build
from opsloop.rag.models import CollectionMissing, DocumentId, Passage
from opsloop.rag.retrieve import Ranked
from opsloop.rag.settings import RagSettings
from opsloop.rag.text import term_id, terms

Filters = Mapping[str, Sequence[str]]
_LOADS = 3

# Built once: building them takes longer than running them.
_VERSION = select(CollectionRow.version).where(CollectionRow.name == bindparam("name"))
_PASSAGES = (
    select(
        ChunkRow.seq,
        ChunkRow.document_id,
        ChunkRow.number,
        ChunkRow.passage_id,
        ChunkRow.heading,
        ChunkRow.text,
        ChunkRow.start,
        ChunkRow.end,
        DocumentRow.filename,
        DocumentRow.metadata_,
        WindowRow.start.label("window_start"),
        WindowRow.end.label("window_end"),
    )
    .join(DocumentRow, DocumentRow.id == ChunkRow.document_id)
    .join(WindowRow, WindowRow.chunk_seq == ChunkRow.seq)
    .where(WindowRow.seq.in_(bindparam("seqs", expanding=True)))
)


class CollectionBusy(Unavailable):
    template = "collection {name!r} changed {times} times while its index was read; try again"


def search(
    uow: UnitOfWork, collection: str, question: str, *, top_k: int, filters: Filters, diversity: float
) -> list[Passage]:
    index = _index(uow, collection)
    if index is None:
        return []
    allowed = index.of_documents(_allowed_documents(uow, collection, filters)) if filters else None
    ranked = retrieve.rank(index, question, top_k=top_k, allowed=allowed, diversity=diversity)
    rarity = {term: index.chunk_postings.rarity(term_id(term)) for term in terms(question)}
    return _passages(uow, index, ranked, rarity)


def _index(uow: UnitOfWork, collection: str) -> BuiltIndex | None:
    """The index of the collection as this transaction sees it; None while it holds no document."""
    cache = cache_of(uow.workspace, limit_bytes=uow.workspace.section(RagSettings).rag_cache_bytes)
    for _ in range(_LOADS):
        version = _version(uow, collection)
        try:
            return cache.get(collection, version, lambda version=version: _loaded(uow, collection, version))  # type: ignore[misc]  # mypy does not infer the default
        except _Changed:
            continue
        except _Empty:
            return None
    raise CollectionBusy(name=collection, times=_LOADS)


class _Changed(Exception):
    """The collection changed between two reads: PostgreSQL shows each statement the newest committed state."""


class _Empty(Exception):
    """There is nothing to index."""


def _version(uow: UnitOfWork, collection: str) -> str:
    found = uow.session.scalar(_VERSION, {"name": collection})
    if found is None:
        raise CollectionMissing(name=collection)
    return found


def _loaded(uow: UnitOfWork, collection: str, version: str) -> BuiltIndex:
    session = uow.session
    rows = session.execute(
        select(
            WindowRow.seq,
            WindowRow.chunk_seq,
            ChunkRow.document_id,
            ChunkRow.heading_terms,
            WindowRow.terms,
            WindowRow.vector,
        )
        .join(ChunkRow, ChunkRow.seq == WindowRow.chunk_seq)
        .where(WindowRow.collection == collection)
        .order_by(WindowRow.chunk_seq, WindowRow.seq)
    ).all()
    kept = session.scalar(
        select(EmbedderRow).where(EmbedderRow.collection == collection).execution_options(populate_existing=True)
    )
    own_weight = session.scalar(select(CollectionRow.vector_weight).where(CollectionRow.name == collection))
    if _version(uow, collection) != version:
        raise _Changed
    if not rows:
        raise _Empty
    explained = kept.explained if kept is not None else 0.0
    weight = own_weight if own_weight is not None else retrieve.trusted_weight(explained)
    embedder = _vectors.stored(kept) if kept is not None else None
    return build([StoredWindow(*row) for row in rows], embedder, weight)


def _allowed_documents(uow: UnitOfWork, collection: str, filters: Filters) -> list[str]:
    """Documents for which every filter names a value they have."""
    query = select(DocumentRow.id).where(DocumentRow.collection == collection)
    for key, values in filters.items():
        if key == "document_id":
            query = query.where(DocumentRow.id.in_(values))
        elif key == "filename":
            query = query.where(DocumentRow.filename.in_(values))
        else:
            query = query.where(DocumentRow.metadata_[key].as_string().in_(values))
    return list(uow.session.scalars(query))


def _passages(
    uow: UnitOfWork, index: BuiltIndex, ranked: Sequence[Ranked], rarity: Mapping[str, float]
) -> list[Passage]:
    """What was ranked, read from the stored text; what was deleted meanwhile is left out."""
    if not ranked:
        return []
    seqs = [int(index.window_seqs[found.window_row]) for found in ranked]
    rows = uow.session.execute(_PASSAGES, {"seqs": seqs}).all()
    by_seq = {row.seq: row for row in rows}
    return [
        Passage(
            document_id=DocumentId(row.document_id),
            filename=row.filename,
            chunk=row.number,
            passage_id=row.passage_id,
            heading=row.heading,
            text=row.text,
            start=row.start,
            end=row.end,
            window_start=row.window_start,
            window_end=row.window_end,
            score=round(found.score, 6),
            similarity=round(found.similarity, 6),
            metadata=row.metadata_,
            term_weights=rarity,
        )
        for found in ranked
        if (row := by_seq.get(int(index.chunk_seqs[found.chunk_row]))) is not None
    ]
