"""Keep a collection's vectors current: fold new windows in, fit anew after large changes. Loads numpy.

A fit is done when half as many windows were added or removed as the last fit knew. The number of fits is then
logarithmic in the size of the collection, and new words never wait longer than that to be understood; until then they
are found by their letters. A fit of a large collection takes long, so that of more than `FIT_AT_ONCE` windows is done
only with a change of like size, or when the collection is several times what the fit knew; `reindex` does it any time.

Vectors of an embedder that is not fitted are made by a job after the change is committed (`embedding.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from opsloop.llm.embedders.lsa import DIMENSIONS, LsaEmbedder
from opsloop.rag._tables import ChunkRow, EmbedderRow, WindowRow
from opsloop.rag.text.words import term_ids
from opsloop.rag.vectors import embedders

REFIT_AT_CHANGE = 0.5
FIT_AT_ONCE = 10_000
# Of larger collections: a change of at least this share of the windows, or so many times what the fit knew.
_LARGE_CHANGE = 0.1
_OUTGROWN = 4.0
# With fewer windows a direction the fit repeats each text instead of what texts share: on xquad_en (365 windows), 256
# directions cost 0.007 nDCG@10 against words alone, 91 cost nothing.
_WINDOWS_PER_DIMENSION = 4
_LEAST_DIMENSIONS = 32
_ROWS_AT_ONCE = 5_000


def keep_current(session: Session, collection: str, *, changed: int) -> None:
    """Give every window of a collection a vector, after `changed` windows were added or removed."""
    kept = session.get(EmbedderRow, collection)
    if kept is not None:
        kept.windows_changed += changed
    if kept is None or _is_due(kept, changed):
        fit(session, collection)
    else:
        _fold_in(session, collection, stored(kept))


def _is_due(kept: EmbedderRow, changed: int) -> bool:
    if kept.windows_changed <= REFIT_AT_CHANGE * kept.fitted_windows:
        return False
    total = kept.fitted_windows + kept.windows_changed
    return (
        total <= FIT_AT_ONCE
        or changed >= _LARGE_CHANGE * total
        or kept.windows_changed > _OUTGROWN * kept.fitted_windows
    )


def fit(session: Session, collection: str) -> None:
    """Fit the embedder on all windows there are, and write all their vectors."""
    seqs, documents = _documents(session, collection, only_new=False)
    kept = session.get(EmbedderRow, collection)
    if not seqs:
        if kept is not None:
            session.delete(kept)
        return
    dimensions = min(DIMENSIONS, max(_LEAST_DIMENSIONS, len(documents) // _WINDOWS_PER_DIMENSION))
    embedder = LsaEmbedder.fit(documents, term_ids, dimensions=dimensions)
    if kept is None:
        kept = EmbedderRow(collection=collection)
        session.add(kept)
    kept.identity = embedder.identity
    kept.explained = embedder.explained(documents)
    kept.fitted_windows = len(seqs)
    kept.windows_changed = 0
    kept.data = embedder.to_bytes()
    # What is stored has halves for directions: vectors of now and of later processes are made with the same numbers.
    _write(session, seqs, documents, stored(kept))


def stored(row: EmbedderRow) -> LsaEmbedder:
    return embedders.fitted(row.identity, lambda: row.data)


def _fold_in(session: Session, collection: str, embedder: LsaEmbedder) -> None:
    seqs, documents = _documents(session, collection, only_new=True)
    _write(session, seqs, documents, embedder)


def _documents(session: Session, collection: str, *, only_new: bool) -> tuple[list[int], list[NDArray[np.uint32]]]:
    """The windows' seqs and term ids with those of their headings."""
    query = (
        select(WindowRow.seq, ChunkRow.heading_terms, WindowRow.terms)
        .join(ChunkRow, ChunkRow.seq == WindowRow.chunk_seq)
        .where(WindowRow.collection == collection)
        .order_by(WindowRow.seq)
    )
    if only_new:
        query = query.where(WindowRow.vector.is_(None))
    rows = session.execute(query).all()
    return [seq for seq, _, _ in rows], [np.frombuffer(heading + own, dtype="<u4") for _, heading, own in rows]


def _write(
    session: Session, seqs: Sequence[int], documents: Sequence[NDArray[np.uint32]], embedder: LsaEmbedder
) -> None:
    statement = update(WindowRow.__table__).where(WindowRow.seq == bindparam("of")).values(vector=bindparam("put"))  # type: ignore[arg-type]  # __table__ is typed as a FromClause
    for first in range(0, len(seqs), _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        halves = embedder.embed_ids(documents[part]).astype("<f2")
        values = [{"of": seq, "put": half.tobytes()} for seq, half in zip(seqs[part], halves, strict=True)]
        session.connection().execute(statement, values)
