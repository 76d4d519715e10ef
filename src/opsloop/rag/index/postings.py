"""BM25 over postings in arrays.

Source: S. Robertson and H. Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, FnTIR 3 (2009), 333-389;
inverse document frequency as ln(1 + (n - df + 0.5) / (df + 0.5)), which is never negative.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

K1 = 1.2
B = 0.75

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Postings:
    """Term i of the sorted `terms` stands in rows `rows[starts[i]:starts[i + 1]]`, so often as `repeats` says.

    Nothing here depends on other rows of the collection, so postings of parts of it can be kept, joined and thinned.

    Attributes:
        lengths: how many terms each row has, shape (count,).
    """

    terms: NDArray[np.uint32]
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    repeats: NDArray[np.uint8]
    lengths: NDArray[np.int32]

    @property
    def count(self) -> int:
        return len(self.lengths)

    @property
    def size_bytes(self) -> int:
        return sum(array.nbytes for array in (self.terms, self.starts, self.rows, self.repeats, self.lengths))

    def of(self, term: int) -> slice:
        """Where the postings of a term are; an empty slice for an unknown one."""
        place = int(np.searchsorted(self.terms, np.uint32(term)))
        if place < len(self.terms) and self.terms[place] == term:
            return slice(int(self.starts[place]), int(self.starts[place + 1]))
        return slice(0, 0)

    def kept(self, rows: Flags) -> Postings:
        """Without the rows that are not flagged; the others move up."""
        left = rows[self.rows]
        renumbered = (np.cumsum(rows) - 1).astype(np.int32)
        return _grouped(self._term_of_each()[left], renumbered[self.rows[left]], self.repeats[left], self.lengths[rows])

    def _term_of_each(self) -> NDArray[np.uint32]:
        return np.repeat(self.terms, np.diff(self.starts))


def postings(ids: NDArray[np.uint32], row_of: NDArray[np.int64], count: int) -> Postings:
    """Postings of `count` rows; `ids[i]` is a term that stands in row `row_of[i]`."""
    cells, repeats = np.unique(ids.astype(np.uint64) << np.uint64(32) | row_of.astype(np.uint64), return_counts=True)
    rows = (cells & np.uint64(0xFFFFFFFF)).astype(np.int32)
    lengths = np.bincount(row_of, minlength=count).astype(np.int32)
    return _grouped(
        (cells >> np.uint64(32)).astype(np.uint32), rows, np.minimum(repeats, 255).astype(np.uint8), lengths
    )


def joined(parts: Sequence[Postings]) -> Postings:
    """Postings of the parts' rows after each other."""
    bounds = np.cumsum([0, *(part.count for part in parts)])
    terms = np.concatenate([part._term_of_each() for part in parts])
    rows = np.concatenate([part.rows + np.int32(bound) for part, bound in zip(parts, bounds[:-1], strict=True)])
    order = np.argsort(terms, kind="stable")
    repeats = np.concatenate([part.repeats for part in parts])
    lengths = np.concatenate([part.lengths for part in parts])
    return _grouped(terms[order], rows[order], repeats[order], lengths)


def _grouped(
    terms: NDArray[np.uint32], rows: NDArray[np.int32], repeats: NDArray[np.uint8], lengths: NDArray[np.int32]
) -> Postings:
    """Postings of cells that are in the order of their terms."""
    starts = np.flatnonzero(np.append(True, terms[1:] != terms[:-1])) if len(terms) else np.empty(0, np.int64)
    return Postings(terms[starts], np.append(starts, len(terms)).astype(np.int64), rows, repeats, lengths)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Postings of several parts read as one; rows that are not alive count nowhere.

    Attributes:
        alive: for each part which rows are there; None: all.
        norms: for each part the denominator's share of each row's length.
        count: how many rows are alive.
    """

    parts: tuple[Postings, ...]
    alive: tuple[Flags | None, ...]
    norms: tuple[Floats, ...]
    count: int

    def rarity(self, term: int) -> float:
        """Inverse document frequency of a term; that of no document for an unknown one."""
        frequency = sum(self._frequency(number, part.of(term)) for number, part in enumerate(self.parts))
        return float(np.log(1 + (self.count - frequency + 0.5) / (frequency + 0.5)))

    def _frequency(self, number: int, found: slice) -> int:
        alive = self.alive[number]
        if alive is None:
            return int(found.stop - found.start)
        return int(np.count_nonzero(alive[self.parts[number].rows[found]]))

    def scores(self, terms: Iterable[int]) -> Floats:
        """BM25 of each row, dead ones too, for distinct terms."""
        scores = [np.zeros(part.count, dtype=np.float32) for part in self.parts]
        for term in terms:
            places = [part.of(term) for part in self.parts]
            frequency = sum(self._frequency(number, found) for number, found in enumerate(places))
            inverse = np.log(1 + (self.count - frequency + 0.5) / (frequency + 0.5))
            for part, found, norm, into in zip(self.parts, places, self.norms, scores, strict=True):
                rows = part.rows[found]
                repeats = part.repeats[found].astype(np.float32)
                into[rows] += repeats * np.float32(inverse * (K1 + 1)) / (repeats + norm[rows])
        return np.concatenate(scores) if len(scores) != 1 else scores[0]


def lexicon(parts: Sequence[Postings], alive: Sequence[Flags | None]) -> Lexicon:
    """The parts as one, with the mean length of the rows that are alive."""
    lengths = [part.lengths if flags is None else part.lengths[flags] for part, flags in zip(parts, alive, strict=True)]
    count = sum(len(each) for each in lengths)
    mean = max(1.0, sum(float(each.sum(dtype=np.int64)) for each in lengths) / count) if count else 1.0
    norms = [(K1 * (1 - B + B / mean * part.lengths)).astype(np.float32) for part in parts]
    return Lexicon(tuple(parts), tuple(alive), tuple(norms), count)
