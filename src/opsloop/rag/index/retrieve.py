"""Rank the chunks of an index for a question.

Three scores are each divided by their greatest value and added: BM25 of the chunk, BM25 of its best window, cosine of
its best window. Convex fusion of normalised scores beats reciprocal rank fusion where one side is weak (S. Bruch,
S. Gai and A. Ingber, An analysis of fusion functions for hybrid retrieval, ACM TOIS 42 (2023)). Loads numpy.

Of a large collection only candidates are fused: the chunks with the best words, and those whose vectors are nearest by
their signs. What is neither among the one nor among the other is not among the best of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from opsloop.rag.index import signs
from opsloop.rag.index.foremost import reached
from opsloop.rag.index.memory import BuiltIndex, Rows
from opsloop.rag.index.postings import Flags, Floats
from opsloop.rag.text.words import term_id, terms

# At full explanation by the fitted embedder, vectors get this share. Shares from 0.3 to 0.5 are within 0.01 nDCG@10 of
# each other on azure_contoso and docs_qa (explained 0.8), while scifact (explained 0.25) loses from 0.1 on.
MOST_VECTOR_WEIGHT = 0.4
# Below this explanation the share falls faster than the explanation does.
_TRUSTED = 0.5
# An encoder knows its language from elsewhere. Shares from 0.4 to 0.6 are within 0.01 of each other on four sets.
ENCODER_WEIGHT = 0.5
# Chunks considered when results are to differ from each other.
POOL = 50
# So many windows are scored exactly without a look at their signs first.
EXACT_WINDOWS = 4_000
# Candidates by sign, and by words, of which the exact scores are made.
NEAREST = 600
WORDIEST = 200
# Cosines of half-precision vectors below this are rounding, which differs between machines.
RESOLUTION = float(np.finfo(np.float16).eps)
# What is added to a rank before it is inverted. Source: G. Cormack, C. Clarke and S. Büttcher, Reciprocal rank fusion
# outperforms Condorcet and individual rank learning methods, SIGIR 2009, 758-759.
RANK_OFFSET = 60

Fusion = Literal["convex", "ranks"]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A chunk by its row, with its best window's row, the fused score 0-1 and the cosine of the best window."""

    chunk_row: int
    window_row: int
    score: float
    similarity: float


@dataclass(frozen=True, slots=True)
class _Words:
    """BM25 of all windows, and of all chunks with their best windows as a share of the best, 0-1."""

    windows: Floats
    chunks: Floats


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Chunks that may be among the best, in the order of their rows, with their windows that were compared.

    Attributes:
        first: where the windows of each chunk begin.
        cosines: of each window with the question.
    """

    chunks: Rows
    windows: Rows
    first: Rows
    cosines: Floats

    @property
    def similarities(self) -> Floats:
        """The cosine of each chunk's best window."""
        return np.maximum.reduceat(self.cosines, self.first) if len(self.first) else self.cosines


def trusted_weight(explained: float) -> float:
    """The vectors' share for a collection whose embedder explains so much of it, 0-1: little for many short texts."""
    return MOST_VECTOR_WEIGHT * explained * min(1.0, explained / _TRUSTED)


def rank(
    index: BuiltIndex,
    question: str,
    *,
    top_k: int,
    vector: Floats | None = None,
    allowed: Flags | None = None,
    vector_weight: float | None = None,
    fusion: Fusion = "convex",
    diversity: float = 0.0,
) -> list[Ranked]:
    """The best chunks first; chunks without any match are left out.

    Args:
        vector: the question's vector, shape (dimensions,); None: it is ranked by words alone.
        allowed: which chunks may be found, shape (chunks,); None: all that are there.
        vector_weight: share of the vectors, 0-1; None: the index's own.
        fusion: `convex` adds scores, `ranks` adds inverted ranks.
        diversity: 0 ranks by score alone; towards 1, chunks like those already chosen fall back.
    """
    weight = index.vector_weight if vector_weight is None else vector_weight
    if vector is None or not index.dimensions:
        weight, vector = 0.0, np.zeros(index.dimensions, dtype=np.float32)
    may = index.alive if allowed is None else allowed
    words = _words(index, question, may)
    found = _candidates(index, words, vector, may, compared=weight > 0)
    fused = _fused(words.chunks[found.chunks], found.similarities, weight, fusion)
    order = _best(fused, max(top_k, POOL) if diversity else top_k)
    if diversity:
        order = _diverse(index, found, fused, order, top_k, diversity)
    best = np.float32(max(float(words.windows.max(initial=0)), 1e-9))
    return [_ranked(found, int(place), fused, words.windows, best, weight) for place in order]


def _words(index: BuiltIndex, question: str, may: Flags | None) -> _Words:
    asked = sorted({term_id(term) for term in terms(question)})
    by_window = index.window_lexicon.scores(asked)
    if index.is_flat:
        return _Words(by_window, _relative(by_window, may))
    by_chunk = index.chunk_lexicon.scores(asked)
    both: Floats = _relative(by_chunk, may) + _relative(index.best_window(by_window), may)
    return _Words(by_window, both / np.float32(2))


def _candidates(index: BuiltIndex, words: _Words, vector: Floats, may: Flags | None, *, compared: bool) -> _Candidates:
    wordiest = _best(words.chunks, WORDIEST)
    if index.windows <= EXACT_WINDOWS:
        chosen = np.arange(index.chunks) if may is None else np.flatnonzero(may)
        windows = index.windows_of(chosen)
    else:
        windows = index.windows_of(np.sort(wordiest))
        if compared and vector.any():
            windows = np.union1d(windows, _nearest(index, vector, may))
    of_window = index.chunk_of[windows]
    chunks, first = np.unique(of_window, return_index=True)
    cosines = index.vectors(windows) @ vector if compared else np.zeros(len(windows), dtype=np.float32)
    return _Candidates(chunks, windows, first, cosines)


def _nearest(index: BuiltIndex, vector: Floats, may: Flags | None) -> Rows:
    """The windows nearest to a vector by their signs."""
    distances = index.distances(vector)
    if may is None:
        return signs.nearest(distances, NEAREST)
    rows = np.flatnonzero(may[index.chunk_of] if len(may) != index.windows else may)
    return rows[signs.nearest(distances[rows], NEAREST)]


def _fused(words: Floats, similarities: Floats, weight: float, fusion: Fusion) -> Floats:
    near = np.where(similarities > RESOLUTION, similarities, np.float32(0))
    if fusion == "ranks":
        return _relative((1 - weight) * _inverse_ranks(words) + weight * _inverse_ranks(near))
    return (1 - weight) * words + weight * _relative(near)


def _inverse_ranks(scores: Floats) -> Floats:
    """1 / (offset + rank) for positive scores, 0 for others."""
    order = np.argsort(-scores, kind="stable")
    ranks = np.empty(len(scores), dtype=np.float32)
    ranks[order] = np.arange(1, len(scores) + 1, dtype=np.float32)
    return np.where(scores > 0, 1 / (RANK_OFFSET + ranks), 0).astype(np.float32)


def _relative(scores: Floats, allowed: Flags | None = None) -> Floats:
    """Scores divided by the greatest; 0 for what is not allowed."""
    if allowed is not None:
        scores = np.where(allowed, scores, np.float32(0))
    greatest = float(scores.max(initial=0))
    return scores / greatest if greatest > 0 else scores


def _best(scores: Floats, count: int) -> Rows:
    """Rows with the greatest positive scores, best first; equal scores in the order of rows."""
    rows = reached(scores, count)
    positive = rows[scores[rows] > 0]
    if len(positive) > count:
        limit = np.partition(scores[positive], len(positive) - count)[len(positive) - count]
        positive = positive[scores[positive] >= limit]
    return positive[np.argsort(-scores[positive], kind="stable")][:count]


def _diverse(index: BuiltIndex, found: _Candidates, fused: Floats, pool: Rows, count: int, diversity: float) -> Rows:
    """Maximal marginal relevance over the chunks' mean vectors.

    Source: J. Carbonell and J. Goldstein, The use of MMR, SIGIR 1998, 335-336.
    """
    means = np.array([index.vectors(index.windows_of(found.chunks[[place]])).mean(axis=0) for place in pool])
    return pool[apart(means, fused[pool], count, diversity)]


def apart(means: Floats, scores: Floats, count: int, diversity: float) -> list[int]:
    """Rows with high scores whose vectors, shape (rows, dimensions), are unlike each other, at most `count`."""
    means = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    alike = means @ means.T
    chosen: list[int] = []
    while len(chosen) < min(count, len(means)):
        nearest = alike[:, chosen].max(axis=1, initial=0)
        gain = (1 - diversity) * scores - diversity * nearest
        gain[chosen] = -np.inf
        chosen.append(int(np.argmax(gain)))
    return chosen


def _ranked(
    found: _Candidates, place: int, fused: Floats, by_window: Floats, best_window: np.float32, weight: float
) -> Ranked:
    first = int(found.first[place])
    last = int(found.first[place + 1]) if place + 1 < len(found.first) else len(found.windows)
    windows, cosines = found.windows[first:last], found.cosines[first:last]
    mixed = (1 - weight) * (by_window[windows] / best_window) + weight * cosines
    best = int(windows[int(np.argmax(mixed))])
    return Ranked(int(found.chunks[place]), best, float(fused[place]), float(cosines.max()))
