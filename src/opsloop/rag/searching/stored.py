"""Search a stored collection: bring its index up to date, rank, read the passages. Loads numpy.

`service` loads it on first use. An index in memory knows the revision up to which it read; what changed since is
appended, what went is masked. Documents that went are found by counting, so that nobody who deletes has to tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Executable, Result, any_, bindparam, func, select

from opsloop.core.errors import Unavailable
from opsloop.core.workspace import UnitOfWork
from opsloop.llm.embedders.port import Embedder
from opsloop.rag import access
from opsloop.rag._copies import content
from opsloop.rag._tables import ChunkRow, CollectionRow, DocumentRow, EmbedderRow, WindowRow
from opsloop.rag.index import retrieve
from opsloop.rag.index.cache import Held, cache_of
from opsloop.rag.index.memory import BuiltIndex, build
from opsloop.rag.index.postings import Flags, Floats
from opsloop.rag.index.retrieve import Ranked
from opsloop.rag.index.segment import StoredWindow
from opsloop.rag.models import EMBEDDED, LSA, CollectionClosed, CollectionMissing, DocumentId, Found, Passage, Ranking
from opsloop.rag.searching import copied
from opsloop.rag.searching import question as asking
from opsloop.rag.searching.filters import Filters, documents
from opsloop.rag.settings import RagSettings
from opsloop.rag.stores.port import Wanted
from opsloop.rag.text.words import term_id, terms
from opsloop.rag.vectors import fitting
from opsloop.rag.vectors.indexing import UNCOMMITTED

_LOADS = 3
_WINDOWS_AT_ONCE = 10_000

# Built once: building them takes longer than running them.
_STATE = (
    select(
        CollectionRow.version,
        CollectionRow.lineage,
        CollectionRow.revision,
        CollectionRow.vector_weight,
        CollectionRow.embedder,
        CollectionRow.store,
        CollectionRow.store_holds,
        EmbedderRow.identity,
        EmbedderRow.explained,
        CollectionRow.readers,
        CollectionRow.writers,
    )
    .outerjoin(EmbedderRow, EmbedderRow.collection == CollectionRow.name)
    .where(CollectionRow.name == bindparam("name"))
)
_WINDOWS = select(
    WindowRow.seq, WindowRow.chunk_seq, ChunkRow.document_id, ChunkRow.heading_terms, WindowRow.terms, WindowRow.vector
).join(ChunkRow, ChunkRow.seq == WindowRow.chunk_seq)
_PASSAGES = (
    select(
        ChunkRow.seq,
        ChunkRow.document_id,
        ChunkRow.number,
        ChunkRow.passage_id,
        ChunkRow.page,
        ChunkRow.heading,
        ChunkRow.text,
        ChunkRow.start,
        ChunkRow.end,
        DocumentRow.filename,
        DocumentRow.metadata_.label("document_metadata"),
        WindowRow.start.label("window_start"),
        WindowRow.end.label("window_end"),
    )
    .join(DocumentRow, DocumentRow.id == ChunkRow.document_id)
    .join(WindowRow, WindowRow.chunk_seq == ChunkRow.seq)
)
_PASSAGES_IN_SQLITE = _PASSAGES.where(WindowRow.seq.in_(bindparam("seqs", expanding=True)))
# One list, whatever it holds: with a parameter for each number it would be another statement for each mix of their
# sizes, and PostgreSQL would plan it for each search.
_PASSAGES_IN_POSTGRESQL = _PASSAGES.where(WindowRow.seq == any_(bindparam("seqs", type_=ARRAY(BigInteger))))


class CollectionBusy(Unavailable):
    template = "collection {name!r} changed {times} times while its index was read; try again"


@dataclass(frozen=True, slots=True)
class _State:
    """A collection as its row and its embedder's say now."""

    version: str
    lineage: str | None
    revision: int
    vector_weight: float | None
    embedder: str | None
    store: str | None
    store_holds: str | None
    space: str | None
    explained: float | None
    readers: Sequence[str] | None
    writers: Sequence[str] | None

    @property
    def weight(self) -> float:
        """The share of the vectors in the ranking, 0-1."""
        return asking.weight(self.vector_weight, self.embedder, self.explained)


def search(
    uow: UnitOfWork,
    collection: str,
    question: str,
    *,
    top_k: int,
    filters: Filters,
    diversity: float,
    ranking: Ranking = "fused",
) -> Found:
    """Raises: CollectionMissing, CollectionClosed, EmbedderAway, EmbedderDiffers, CollectionBusy."""
    state = _state(uow, collection)
    note = None
    if state.store is not None and state.store != EMBEDDED:
        try:
            return _in_store(uow, collection, state, question, top_k, filters, diversity, ranking)
        except copied.NotAsked as reason:
            note = str(reason)
    held = _held(uow, collection, state)
    if held.index is None:
        return Found((), note)
    ranked = retrieve.rank(
        held.index,
        question,
        top_k=top_k,
        vector=None if ranking == "words" else _vector(uow, collection, held, question),
        allowed=_allowed(uow, collection, held, held.index, filters) if filters else None,
        fusion="ranks" if ranking == "ranks" else "convex",
        diversity=diversity,
    )
    rarity = {term: held.index.chunk_lexicon.rarity(term_id(term)) for term in terms(question)}
    return Found(tuple(_passages(uow, held.index, ranked, rarity)), note)


def _rows(uow: UnitOfWork, query: Executable, parameters: Mapping[str, object]) -> Result[*tuple[Any, ...]]:
    """What a query finds, with what this transaction has not written yet; in half the time of the session's way."""
    uow.session.flush()
    return uow.session.connection().execute(query, parameters)


def _in_store(
    uow: UnitOfWork,
    collection: str,
    state: _State,
    question: str,
    top_k: int,
    filters: Filters,
    diversity: float,
    ranking: Ranking,
) -> Found:
    """Raises: NotAsked when the embedded index has to answer; EmbedderAway, EmbedderDiffers."""
    holds = content(state.lineage, state.revision, state.space)
    if state.store_holds != holds:
        raise copied.NotAsked(f"the store {state.store} is being brought up to date; the embedded index was searched")
    vector = None
    if ranking != "words" and state.space is not None and state.weight:
        try:
            _, fitted = _embedder(uow, collection, state)
        except _Changed:
            raise copied.NotAsked("the collection is being changed; the embedded index was searched") from None
        vector = asking.vector(uow, collection, state.embedder, state.space, fitted, question).astype("<f4").tobytes()
    wanted = Wanted(
        question=question,
        terms=tuple(dict.fromkeys(terms(question))),
        vector=vector,
        vector_weight=state.weight,
        ranking=ranking,
        filters=filters,
        count=copied.depth(top_k, diversity),
        state=holds,
    )
    return copied.search(uow, collection, str(state.store), wanted, top_k=top_k, diversity=diversity)


def _held(uow: UnitOfWork, collection: str, state: _State) -> Held:
    """The index of the collection as this transaction sees it."""
    cache = cache_of(uow.workspace, limit_bytes=uow.workspace.section(RagSettings).rag_cache_bytes)
    for _ in range(_LOADS):
        try:
            if collection in uow.session.info.get(UNCOMMITTED, ()):
                return _made(uow, collection, state, cache.newest(collection))
            return cache.get(collection, state.version, partial(_made, uow, collection, state))
        except _Changed:
            state = _state(uow, collection)
    raise CollectionBusy(name=collection, times=_LOADS)


class _Changed(Exception):
    """The collection changed between two reads: PostgreSQL shows each statement the newest committed state."""


def _state(uow: UnitOfWork, collection: str) -> _State:
    found = _rows(uow, _STATE, {"name": collection}).one_or_none()
    if found is None:
        raise CollectionMissing(name=collection)
    state = _State(*found)
    if not access.allows(uow.by, state.readers, state.writers):
        raise CollectionClosed(caller=uow.by.name, wanted="read", name=collection)
    return state


def _made(uow: UnitOfWork, collection: str, state: _State, before: Held | None) -> Held:
    """The index of that state, from the one before where it can be, else from the beginning."""
    if before is not None and before.index is not None and _goes_on(before, state):
        index = _brought_up(uow, collection, state, before, before.index)
    else:
        batches = _batches(uow, collection)
        index = build(batches, *_embedder(uow, collection, state), state.weight)
    if _state(uow, collection).version != state.version:
        raise _Changed
    return Held(state.version, state.lineage, state.revision, state.embedder, state.space, index)


def _goes_on(before: Held, state: _State) -> bool:
    same = (before.lineage, before.space) == (state.lineage, state.space)
    return same and state.lineage is not None and before.revision <= state.revision


def _brought_up(uow: UnitOfWork, collection: str, state: _State, before: Held, index: BuiltIndex) -> BuiltIndex | None:
    changed = (DocumentRow.collection == collection, DocumentRow.revision > before.revision)
    ids = uow.session.scalars(select(DocumentRow.id).where(*changed)).all()
    chosen = _WINDOWS.join(DocumentRow, DocumentRow.id == ChunkRow.document_id).where(*changed)
    added = _stored(uow, chosen.order_by(WindowRow.chunk_seq, WindowRow.seq)) if ids else []
    found = index.changed(gone=ids, added=added) if ids else index
    there = uow.session.scalar(select(func.count()).where(DocumentRow.collection == collection)) or 0
    if found is not None and found.documents != there:
        left = set(uow.session.scalars(select(DocumentRow.id).where(DocumentRow.collection == collection)))
        found = found.changed(gone=found.known() - left)
    return None if found is None else found.with_weight(state.weight)


def _stored(uow: UnitOfWork, query: Executable) -> list[StoredWindow]:
    return [StoredWindow(*row) for row in uow.session.execute(query).all()]


def _batches(uow: UnitOfWork, collection: str) -> Iterator[list[StoredWindow]]:
    """All windows in the order of their documents, some thousands at a time, no document in two batches."""
    waiting: list[StoredWindow] = []
    last = -1
    while True:
        part = _WINDOWS.where(WindowRow.collection == collection, WindowRow.seq > last).order_by(WindowRow.seq)
        found = _stored(uow, part.limit(_WINDOWS_AT_ONCE))
        if len(found) < _WINDOWS_AT_ONCE:
            yield waiting + found
            return
        last = found[-1].seq
        documents = [list(own) for _, own in groupby(waiting + found, attrgetter("document_id"))]
        waiting = documents.pop()
        yield [window for own in documents for window in own]


def _embedder(uow: UnitOfWork, collection: str, state: _State) -> tuple[int, Embedder | None]:
    """Its dimensions and, when it is fitted, the embedder."""
    if state.space is None:
        return 0, None
    if state.embedder is not None and state.embedder != LSA:
        return int(state.space.rpartition("-")[2]), None
    kept = uow.session.get(EmbedderRow, collection, populate_existing=True)
    if kept is None or kept.identity != state.space:
        raise _Changed
    fitted = fitting.stored(kept)
    return fitted.dimensions, fitted


def _vector(uow: UnitOfWork, collection: str, held: Held, question: str) -> Floats | None:
    """The question's vector in the index's space; None while the collection has no vectors."""
    index = held.index
    if index is None or held.space is None or not index.vector_weight:
        return None
    return asking.vector(uow, collection, held.embedder, held.space, index.embedder, question)


def _allowed(uow: UnitOfWork, collection: str, held: Held, index: BuiltIndex, filters: Filters) -> Flags:
    key = tuple((name, tuple(values)) for name, values in sorted(filters.items()))
    return held.filtered(key, lambda: index.of_documents(uow.session.scalars(documents(collection, filters))))


def _passages(
    uow: UnitOfWork, index: BuiltIndex, ranked: Sequence[Ranked], rarity: Mapping[str, float]
) -> list[Passage]:
    """What was ranked, read from the stored text; what was deleted meanwhile is left out."""
    if not ranked:
        return []
    seqs = [index.window_seq(found.window_row) for found in ranked]
    query = _PASSAGES_IN_SQLITE if uow.workspace.database.is_sqlite else _PASSAGES_IN_POSTGRESQL
    rows = _rows(uow, query, {"seqs": seqs}).all()
    by_seq = {row.seq: row for row in rows}
    return [
        Passage(
            document_id=DocumentId(row.document_id),
            filename=row.filename,
            chunk=row.number,
            passage_id=row.passage_id,
            page=row.page,
            heading=row.heading,
            text=row.text,
            start=row.start,
            end=row.end,
            window_start=row.window_start,
            window_end=row.window_end,
            score=round(found.score, 6),
            similarity=round(found.similarity, 6),
            metadata=row.document_metadata,
            term_weights=rarity,
        )
        for found in ranked
        if (row := by_seq.get(index.chunk_seq(found.chunk_row))) is not None
    ]
