"""Rank the chunks of an index for a question.

Three scores are each divided by their greatest value and added: BM25 of the chunk, BM25 of its best window, cosine of
its best window. Convex fusion of normalised scores beats reciprocal rank fusion where one side is weak (S. Bruch,
S. Gai and A. Ingber, An analysis of fusion functions for hybrid retrieval, ACM TOIS 42 (2023)). Loads numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opsloop.rag.index.memory import BuiltIndex, Floats
from opsloop.rag.text import term_id, terms

# At full explanation by the embedder, vectors get this share. Shares from 0.3 to 0.5 are within 0.01 nDCG@10 of each
# other on azure_contoso and docs_qa (explained 0.8), while scifact (explained 0.26) loses 0.01 with 0.3, 0.04 with 0.5.
MOST_VECTOR_WEIGHT = 0.4
# Chunks considered when results are to differ from each other.
_POOL = 50


@dataclass(frozen=True, slots=True)
class Ranked:
    """A chunk by its row, with its best window's row, the fused score 0-1 and the cosine of the best window."""

    chunk_row: int
    window_row: int
    score: float
    similarity: float


def trusted_weight(explained: float) -> float:
    """The vectors' share for a collection whose embedder explains so much of it, 0-1: little for many short texts."""
    return MOST_VECTOR_WEIGHT * explained


def rank(
    index: BuiltIndex,
    question: str,
    *,
    top_k: int,
    allowed: NDArray[np.bool_] | None = None,
    vector_weight: float | None = None,
    diversity: float = 0.0,
) -> list[Ranked]:
    """The best chunks first; chunks without any match are left out.

    Args:
        allowed: which chunks may be found, shape (chunks,); None: all.
        vector_weight: share of the vectors, 0-1; None: the index's own.
        diversity: 0 ranks by score alone; towards 1, chunks like those already chosen fall back.
    """
    asked = {term_id(term) for term in terms(question)}
    weight = index.vector_weight if vector_weight is None else vector_weight
    by_window = index.window_postings.scores(asked)
    cosines = _cosines(index, question)
    lexical = (
        _relative(index.chunk_postings.scores(asked), allowed) + _relative(index.best_window(by_window), allowed)
    ) / 2
    fused = (1 - weight) * lexical + weight * _relative(np.maximum(index.best_window(cosines), 0), allowed)
    order = _best(fused, max(top_k, _POOL) if diversity else top_k)
    if diversity:
        order = _diverse(index, fused, order, top_k, diversity)
    mixed = (1 - weight) * by_window / max(float(by_window.max(initial=0)), 1e-9) + weight * cosines
    return [_ranked(index, int(row), fused, mixed, cosines) for row in order]


def _cosines(index: BuiltIndex, question: str) -> Floats:
    if index.embedder is None:
        return np.zeros(len(index.window_seqs), dtype=np.float32)
    found: Floats = index.vectors @ index.embedder.embed([question])[0]
    return found


def _relative(scores: Floats, allowed: NDArray[np.bool_] | None) -> Floats:
    """Scores divided by the greatest; 0 for what is not allowed."""
    if allowed is not None:
        scores = np.where(allowed, scores, np.float32(0))
    greatest = float(scores.max(initial=0))
    return scores / greatest if greatest > 0 else scores


def _best(scores: Floats, count: int) -> NDArray[np.int64]:
    """Rows with the greatest positive scores, best first; equal scores in the order of rows."""
    positive = np.flatnonzero(scores > 0)
    if len(positive) > count:
        limit = np.partition(scores[positive], len(positive) - count)[len(positive) - count]
        positive = positive[scores[positive] >= limit]
    return positive[np.argsort(-scores[positive], kind="stable")][:count]


def _diverse(
    index: BuiltIndex, fused: Floats, pool: NDArray[np.int64], count: int, diversity: float
) -> NDArray[np.int64]:
    """Maximal marginal relevance over the chunks' mean vectors.

    Source: J. Carbonell and J. Goldstein, The use of MMR, SIGIR 1998, 335-336.
    """
    means = np.array([index.vectors[index.chunk_of == row].mean(axis=0) for row in pool])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    alike = means @ means.T
    chosen: list[int] = []
    while len(chosen) < min(count, len(pool)):
        nearest = alike[:, chosen].max(axis=1, initial=0)
        gain = (1 - diversity) * fused[pool] - diversity * nearest
        gain[chosen] = -np.inf
        chosen.append(int(np.argmax(gain)))
    return pool[chosen]


def _ranked(index: BuiltIndex, row: int, fused: Floats, mixed: Floats, cosines: Floats) -> Ranked:
    first = int(index.first_window[row])
    last = int(index.first_window[row + 1]) if row + 1 < len(index.first_window) else len(mixed)
    window = first + int(np.argmax(mixed[first:last]))
    return Ranked(row, window, float(fused[row]), float(cosines[first:last].max()))
