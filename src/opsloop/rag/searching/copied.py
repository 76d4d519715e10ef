"""Search a collection in its store: hits there, passages from the state database. Loads numpy.

Nothing is told that the database does not hold now: a hit on what was deleted, cut anew, or does not pass the filters
is left out, and every text is the database's. A store that is away or behind is not asked; the embedded index, which
always knows all, then answers, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Row, bindparam, select

from opsloop.core.errors import ExtraNeeded
from opsloop.core.workspace import UnitOfWork
from opsloop.rag._tables import ChunkRow, DocumentRow, WindowRow
from opsloop.rag.index import retrieve
from opsloop.rag.index.postings import Floats
from opsloop.rag.models import DocumentId, Found, Passage
from opsloop.rag.searching.filters import documents
from opsloop.rag.stores import choice
from opsloop.rag.stores.port import StoreAway, Wanted

# Hits asked for each chunk that is wanted: several windows of one chunk may be found.
_WINDOWS_PER_CHUNK = 4

_PASSAGES = (
    select(
        WindowRow.seq,
        WindowRow.start.label("window_start"),
        WindowRow.end.label("window_end"),
        WindowRow.vector,
        ChunkRow.seq.label("chunk_seq"),
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
    )
    .join(ChunkRow, ChunkRow.seq == WindowRow.chunk_seq)
    .join(DocumentRow, DocumentRow.id == ChunkRow.document_id)
    .where(DocumentRow.collection == bindparam("collection"))
    .where(WindowRow.seq.in_(bindparam("seqs", expanding=True)))
)


class NotAsked(Exception):
    """Why a store was not searched, as a sentence."""


def depth(top_k: int, diversity: float) -> int:
    """How many hits a store is asked for."""
    return _WINDOWS_PER_CHUNK * max(top_k, retrieve.POOL if diversity else 0)


def search(uow: UnitOfWork, collection: str, store: str, wanted: Wanted, *, top_k: int, diversity: float) -> Found:
    """Raises: NotAsked when the store is away or not set."""
    try:
        found = choice.named(uow.workspace, store).search(collection, wanted)
    except (StoreAway, choice.StoreNotSet, ExtraNeeded) as error:
        raise NotAsked(f"{error.sentence}; the embedded index was searched") from error
    scores = {(hit.document_id, hit.seq): hit.score for hit in found.hits}
    if not scores:
        return Found(())
    given = {"collection": collection, "seqs": [seq for _, seq in scores]}
    there: Iterable[Any] = uow.session.execute(_PASSAGES, given)
    rows = [row for row in there if (row.document_id, row.seq) in scores]
    if wanted.filters:
        passing = documents(collection, wanted.filters)
        ids = set(uow.session.scalars(passing.where(DocumentRow.id.in_({row.document_id for row in rows}))))
        rows = [row for row in rows if row.document_id in ids]
    rows.sort(key=lambda row: (-scores[row.document_id, row.seq], row.seq))
    best = {row.chunk_seq: row for row in reversed(rows)}  # the first of each chunk is kept last
    chosen = _chosen([best[seq] for seq in dict.fromkeys(row.chunk_seq for row in rows)], scores, top_k, diversity)
    asked = None if wanted.vector is None else np.frombuffer(wanted.vector, dtype="<f4")
    return Found(
        tuple(
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
                score=round(scores[row.document_id, row.seq], 6),
                similarity=0.0 if asked is None else round(float(_vector(row, len(asked)) @ asked), 6),
                metadata=row.document_metadata,
                term_weights=found.rarity,
            )
            for row in chosen
        )
    )


def _chosen(
    rows: Sequence[Row[Any]], scores: dict[tuple[str, int], float], top_k: int, diversity: float
) -> list[Row[Any]]:
    dimensions = max((len(row.vector) // 2 for row in rows if row.vector is not None), default=0)
    if not diversity or not dimensions:
        return list(rows[:top_k])
    pool = rows[: max(top_k, retrieve.POOL)]
    vectors = np.array([_vector(row, dimensions) for row in pool])
    of_pool = np.array([scores[row.document_id, row.seq] for row in pool], dtype=np.float32)
    return [pool[place] for place in retrieve.apart(vectors, of_pool, top_k, diversity)]


def _vector(row: Row[Any], dimensions: int) -> Floats:
    """The vector of a window; of no direction while it has none."""
    if row.vector is None or len(row.vector) != 2 * dimensions:
        return np.zeros(dimensions, dtype=np.float32)
    return np.frombuffer(row.vector, dtype="<f2").astype(np.float32)
