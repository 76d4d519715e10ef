"""A part of a collection's index that never changes: what came in together, or was joined since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from opsloop.rag.index import postings as words
from opsloop.rag.index import signs
from opsloop.rag.index.postings import Flags, Postings, postings

Halves = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class StoredWindow:
    """A window as it comes from the database; windows of a chunk, and chunks of a document, follow each other."""

    seq: int
    chunk_seq: int
    document_id: str
    heading_terms: bytes
    terms: bytes
    vector: bytes | None


@dataclass(frozen=True, slots=True)
class Segment:
    """Row i of the window arrays belongs to chunk `chunk_of[i]`, which belongs to document `document_of[chunk]`.

    Attributes:
        vectors: shape (windows, dimensions), rows of length 1 or 0.
        bits: their signs, see `signs`.
    """

    window_seqs: NDArray[np.int64]
    chunk_seqs: NDArray[np.int64]
    documents: tuple[str, ...]
    chunk_of: NDArray[np.int32]
    first_window: NDArray[np.int32]
    document_of: NDArray[np.int32]
    window_postings: Postings
    chunk_postings: Postings
    vectors: Halves
    bits: signs.Bits
    rows: Mapping[str, int] = field(repr=False)

    @property
    def size_bytes(self) -> int:
        own = (self.window_seqs, self.chunk_seqs, self.chunk_of, self.first_window, self.document_of)
        words = self.chunk_postings.size_bytes + (0 if self.is_flat else self.window_postings.size_bytes)
        # An id of 30 characters with its place in a dictionary takes about 180 bytes.
        return sum(array.nbytes for array in (*own, self.vectors, self.bits)) + words + 180 * len(self.documents)

    @property
    def is_flat(self) -> bool:
        """Whether each chunk is its own only window: its words are then kept once."""
        return self.window_postings is self.chunk_postings

    def kept(self, chunks: Flags) -> Segment:
        """Without the chunks that are not flagged, and without documents that have no chunk left."""
        windows = chunks[self.chunk_of]
        left = np.unique(self.document_of[chunks])
        by_chunk = self.chunk_postings.kept(chunks)
        chunk_of = (np.cumsum(chunks) - 1)[self.chunk_of[windows]]
        return _segment(
            self.window_seqs[windows],
            self.chunk_seqs[chunks],
            tuple(self.documents[row] for row in left.tolist()),
            chunk_of,
            np.searchsorted(left, self.document_of[chunks]),
            by_chunk if self.is_flat else self.window_postings.kept(windows),
            by_chunk,
            self.vectors[windows],
            np.ascontiguousarray(self.bits[:, windows]),
        )


def segment(windows: Sequence[StoredWindow], dimensions: int) -> Segment:
    """A segment of at least one window; vectors of other dimensions count as not there."""
    chunk_seq_of = np.array([window.chunk_seq for window in windows], dtype=np.int64)
    is_first = np.append(True, chunk_seq_of[1:] != chunk_seq_of[:-1])
    first = np.flatnonzero(is_first)
    chunk_of = np.cumsum(is_first) - 1
    owners = [windows[row].document_id for row in first.tolist()]
    rows = {id: row for row, id in enumerate(dict.fromkeys(owners))}
    ids, lengths = _terms([window.heading_terms + window.terms for window in windows])
    by_window = postings(ids, np.repeat(np.arange(len(windows)), lengths), len(windows))
    by_chunk = by_window
    if len(first) < len(windows):
        once = [window.heading_terms if begins else b"" for window, begins in zip(windows, is_first, strict=True)]
        ids, lengths = _terms([heading + own.terms for heading, own in zip(once, windows, strict=True)])
        by_chunk = postings(ids, np.repeat(chunk_of, lengths), len(first))
    vectors = _vectors(windows, dimensions)
    return _segment(
        np.array([window.seq for window in windows], dtype=np.int64),
        chunk_seq_of[first],
        tuple(rows),
        chunk_of,
        np.array([rows[id] for id in owners]),
        by_window,
        by_chunk,
        vectors,
        signs.signs(vectors) if dimensions else np.empty((0, len(windows)), np.uint64),
    )


def joined(parts: Sequence[Segment]) -> Segment:
    """One segment of several, in their order. No document stands in two of them."""
    by_chunk = words.joined([part.chunk_postings for part in parts])
    is_flat = all(part.is_flat for part in parts)
    return _segment(
        np.concatenate([part.window_seqs for part in parts]),
        np.concatenate([part.chunk_seqs for part in parts]),
        tuple(id for part in parts for id in part.documents),
        _moved([part.chunk_of for part in parts], [len(part.chunk_seqs) for part in parts]),
        _moved([part.document_of for part in parts], [len(part.documents) for part in parts]),
        by_chunk if is_flat else words.joined([part.window_postings for part in parts]),
        by_chunk,
        np.concatenate([part.vectors for part in parts]),
        np.ascontiguousarray(np.concatenate([part.bits for part in parts], axis=1)),
    )


def _moved(parts: Sequence[NDArray[np.int32]], counts: Sequence[int]) -> NDArray[np.int64]:
    bounds = np.cumsum([0, *counts])
    return np.concatenate([part + bound for part, bound in zip(parts, bounds[:-1], strict=True)])


def _segment(
    window_seqs: NDArray[np.int64],
    chunk_seqs: NDArray[np.int64],
    documents: tuple[str, ...],
    chunk_of: NDArray[np.int64],
    document_of: NDArray[np.int64],
    by_window: Postings,
    by_chunk: Postings,
    vectors: Halves,
    bits: signs.Bits,
) -> Segment:
    first = np.flatnonzero(np.append(True, chunk_of[1:] != chunk_of[:-1])) if len(chunk_of) else np.empty(0, np.int64)
    return Segment(
        window_seqs=window_seqs,
        chunk_seqs=chunk_seqs,
        documents=documents,
        chunk_of=chunk_of.astype(np.int32),
        first_window=first.astype(np.int32),
        document_of=document_of.astype(np.int32),
        window_postings=by_window,
        chunk_postings=by_chunk,
        vectors=vectors,
        bits=bits,
        rows={id: row for row, id in enumerate(documents)},
    )


def _terms(blobs: Sequence[bytes]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """All term ids after each other, and how many each blob holds."""
    lengths = np.array([len(blob) // 4 for blob in blobs], dtype=np.int64)
    return np.frombuffer(b"".join(blobs), dtype="<u4").astype(np.uint32), lengths


def _vectors(windows: Sequence[StoredWindow], dimensions: int) -> Halves:
    nothing = bytes(2 * dimensions)
    blobs = [
        window.vector if window.vector is not None and len(window.vector) == len(nothing) else nothing
        for window in windows
    ]
    return np.frombuffer(b"".join(blobs), dtype="<f2").reshape(len(windows), dimensions).astype(np.float16)
