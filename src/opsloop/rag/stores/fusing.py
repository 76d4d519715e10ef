"""Words and vectors of candidates put into one order, for stores that score them apart. Loads numpy.

The fusion is that of the embedded index (`index/retrieve.py`): each score divided by the greatest, then added; or
inverted ranks added.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsloop.rag.index.postings import K1, B
from opsloop.rag.index.retrieve import RANK_OFFSET, RESOLUTION


@dataclass(frozen=True, slots=True)
class Frequencies:
    """In how many of `count` passages each term stands, and how many terms a passage has on average."""

    count: int
    mean_terms: float
    of: Mapping[int, int]

    def rarity(self, term: int) -> float:
        """Inverse document frequency, as in the embedded index."""
        frequency = self.of.get(term, 0)
        return math.log(1 + (self.count - frequency + 0.5) / (frequency + 0.5))

    def bm25(self, terms: Sequence[int]) -> float:
        """BM25 of a passage with these terms for the terms that were counted.

        Source: S. Robertson and H. Zaragoza, The probabilistic relevance framework: BM25 and beyond (2009).
        """
        repeats = Counter(term for term in terms if term in self.of)
        norm = K1 * (1 - B + B * len(terms) / max(1.0, self.mean_terms))
        return sum(self.rarity(term) * times * (K1 + 1) / (times + norm) for term, times in repeats.items())


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate by its words, BM25 >= 0, and by its vector, a cosine."""

    seq: int
    words: float
    similarity: float


def fused(candidates: Sequence[Scored], vector_weight: float, *, by_ranks: bool) -> dict[int, float]:
    """Scores from 0 to 1, candidates without any match left out."""
    words = {each.seq: each.words for each in candidates if each.words > 0}
    near = {each.seq: each.similarity for each in candidates if each.similarity > RESOLUTION}
    if by_ranks:
        words, near = _inverse_ranks(words), _inverse_ranks(near)
    else:
        words, near = _relative(words), _relative(near)
    both = {
        seq: (1 - vector_weight) * words.get(seq, 0.0) + vector_weight * near.get(seq, 0.0)
        for seq in dict.fromkeys((*words, *near))
    }
    both = {seq: score for seq, score in both.items() if score > 0}
    return _relative(both) if by_ranks else both


def _inverse_ranks(scores: Mapping[int, float]) -> dict[int, float]:
    order = sorted(scores, key=lambda seq: (-scores[seq], seq))
    return {seq: 1 / (RANK_OFFSET + rank) for rank, seq in enumerate(order, start=1)}


def _relative(scores: Mapping[int, float]) -> dict[int, float]:
    greatest = max(scores.values(), default=1.0)
    return {seq: score / greatest for seq, score in scores.items()}
