"""BM25 over postings in arrays.

Source: S. Robertson and H. Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, FnTIR 3 (2009), 333-389;
inverse document frequency as ln(1 + (n - df + 0.5) / (df + 0.5)), which is never negative.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

K1 = 1.2
B = 0.75


@dataclass(frozen=True, slots=True)
class Postings:
    """Term i of the sorted `terms` stands in rows `rows[starts[i]:starts[i + 1]]` with those `weights`."""

    terms: NDArray[np.uint32]
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    weights: NDArray[np.float32]
    inverse: NDArray[np.float32]
    count: int

    @property
    def size_bytes(self) -> int:
        return sum(array.nbytes for array in (self.terms, self.starts, self.rows, self.weights, self.inverse))

    def rarity(self, term: int) -> float:
        """Inverse document frequency of a term; that of no document for an unknown one."""
        place = int(np.searchsorted(self.terms, term))
        if place < len(self.terms) and self.terms[place] == term:
            return float(self.inverse[place])
        return float(np.log(1 + (self.count + 0.5) / 0.5))

    def scores(self, terms: Iterable[int]) -> NDArray[np.float32]:
        """BM25 of each row for distinct terms, shape (count,)."""
        scores = np.zeros(self.count, dtype=np.float32)
        for term in terms:
            place = int(np.searchsorted(self.terms, term))
            if place < len(self.terms) and self.terms[place] == term:
                found = slice(self.starts[place], self.starts[place + 1])
                scores[self.rows[found]] += self.weights[found]
        return scores


def postings(ids: NDArray[np.uint32], row_of: NDArray[np.int64], count: int) -> Postings:
    """Postings of `count` rows; `ids[i]` is a term that stands in row `row_of[i]`."""
    cells, repeats = np.unique(ids.astype(np.uint64) << np.uint64(32) | row_of.astype(np.uint64), return_counts=True)
    rows = (cells & np.uint64(0xFFFFFFFF)).astype(np.int32)
    terms, starts, frequency = np.unique(
        (cells >> np.uint64(32)).astype(np.uint32), return_index=True, return_counts=True
    )
    inverse = np.log(1 + (count - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)
    lengths = np.bincount(row_of, minlength=count)
    norm = K1 * (1 - B + B * lengths / max(1.0, float(lengths.mean()) if count else 1.0))
    weights = np.repeat(inverse, frequency) * repeats * (K1 + 1) / (repeats + norm[rows])
    bounds = np.append(starts, len(rows)).astype(np.int64)
    return Postings(terms, bounds, rows, weights.astype(np.float32), inverse, count)
