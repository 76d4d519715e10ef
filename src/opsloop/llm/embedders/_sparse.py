"""Sparse matrices in compressed rows, as far as the offline embedder needs them: no library besides numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ids = NDArray[np.uint32]

# Products are made for so many stored entries at a time: it bounds the memory in between (entries x columns x 4 bytes).
_ENTRIES_AT_ONCE = 16_000


@dataclass(frozen=True, slots=True)
class Sparse:
    """Row i holds `values[starts[i]:starts[i + 1]]` at `columns[starts[i]:starts[i + 1]]`; shape (rows, width)."""

    starts: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: Floats
    width: int

    @property
    def rows(self) -> int:
        return len(self.starts) - 1

    def row_numbers(self) -> NDArray[np.int64]:
        """The row of each stored entry."""
        return np.repeat(np.arange(self.rows), np.diff(self.starts))

    def times(self, dense: Floats) -> Floats:
        """The product with a dense matrix of shape (width, k): shape (rows, k)."""
        result = np.zeros((self.rows, dense.shape[1]), dtype=np.float32)
        for first, last in self._blocks():
            entries = slice(self.starts[first], self.starts[last])
            filled = first + np.flatnonzero(np.diff(self.starts[first : last + 1]))
            if len(filled):
                products = dense[self.columns[entries]] * self.values[entries, None]
                result[filled] = np.add.reduceat(products, self.starts[filled] - self.starts[first], axis=0)
        return result

    def _blocks(self) -> list[tuple[int, int]]:
        """Consecutive ranges of rows with about `_ENTRIES_AT_ONCE` entries each."""
        blocks, first = [], 0
        while first < self.rows:
            limit = self.starts[first] + _ENTRIES_AT_ONCE
            last = max(first + 1, int(np.searchsorted(self.starts, limit, side="right")) - 1)
            blocks.append((first, last))
            first = last
        return blocks

    def transposed(self) -> Sparse:
        order = np.argsort(self.columns, kind="stable")
        starts = np.concatenate(([0], np.cumsum(np.bincount(self.columns, minlength=self.width))))
        return Sparse(starts.astype(np.int64), self.row_numbers()[order], self.values[order], self.rows)

    def scaled(self, column_weights: Floats) -> Sparse:
        """Each column times its weight, then each row divided by its length; rows of zeros stay zeros."""
        values = self.values * column_weights[self.columns]
        squares = np.bincount(self.row_numbers(), weights=values.astype(np.float64) ** 2, minlength=self.rows)
        lengths = np.sqrt(squares).astype(np.float32)
        lengths[lengths == 0] = 1.0
        return Sparse(self.starts, self.columns, values / lengths[self.row_numbers()], self.width)


def counted(documents: Sequence[Ids], vocabulary: Ids) -> Sparse:
    """How often each document holds each word of a sorted vocabulary; other words are left out."""
    lengths = np.fromiter((len(document) for document in documents), dtype=np.int64, count=len(documents))
    ids = np.concatenate([*documents, np.empty(0, np.uint32)]).astype(np.uint32)
    row_of = np.repeat(np.arange(len(documents)), lengths)
    place = np.searchsorted(vocabulary, ids)
    known = place < len(vocabulary)
    known[known] = vocabulary[place[known]] == ids[known]
    width = max(1, len(vocabulary))
    cells, counts = np.unique(row_of[known] * width + place[known], return_counts=True)
    starts = np.searchsorted(cells, np.arange(len(documents) + 1) * width)
    return Sparse(starts.astype(np.int64), cells % width, counts.astype(np.float32), len(vocabulary))
