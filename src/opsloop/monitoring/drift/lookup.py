"""Which rows of the tables a row of X selects."""

from __future__ import annotations

from typing import Any

import numpy as np

from opsloop.monitoring.drift.columns import Column, Floats, Ints, numbers
from opsloop.monitoring.drift.pairs import GROUPS
from opsloop.monitoring.drift.reference import Reference

Reader = tuple[list[float], dict[object, int] | None, int, int]


class Lookup:
    """Of one reference. `readers` has what finds a single value's row, for the hot path."""

    def __init__(self, reference: Reference) -> None:
        self._reference, self._tables = reference, reference.tables
        bases = reference.tables.bases.tolist()
        self.readers = [_reader(column, base) for column, base in zip(reference.columns, bases, strict=True)]
        self.columns = [place for place in reference.places if place >= 0]
        self.says = -1 in reference.places
        self._firsts = np.array([first for first, _ in reference.pairs], dtype=np.int64)
        self._seconds = np.array([second for _, second in reference.pairs], dtype=np.int64)

    def values(self, X: np.ndarray[Any, Any], predictions: Any) -> list[Any]:
        """The watched columns, the prediction last."""
        found: list[Any] = [X[:, place] for place in self.columns]
        return [*found, predictions] if self.says else found

    def tokens(self, X: np.ndarray[Any, Any], predictions: Any) -> Ints:
        """The rows of the tables that each row of X selects: one by column, then one by pair."""
        columns = self._reference.raw
        found = np.empty((len(X), len(columns) + len(self._reference.pairs)), dtype=np.int64)
        for to, (column, values) in enumerate(zip(columns, self.values(X, predictions), strict=True)):
            _, codes, base, other = self.readers[to]
            if codes is None:
                found[:, to] = column.edges.searchsorted(_numeric(values), "right")
                found[:, to] += base
            else:
                found[:, to] = [codes.get(value, other) for value in _listed(values)]
        if self._reference.pairs:
            tables = self._tables
            groups = tables.groups.take(found[:, : len(columns)])
            found[:, len(columns) :] = groups[:, self._firsts] * GROUPS + groups[:, self._seconds] + tables.pair_bases
        return found

    def rows(self, X: np.ndarray[Any, Any], predictions: Any, latest: int) -> list[list[Any]]:
        """The latest rows as lists of their watched values."""
        rows: list[list[Any]] = X[-latest:].tolist()
        if len(self.columns) != X.shape[1]:
            rows = [[row[place] for place in self.columns] for row in rows]
        if self.says:
            for row, value in zip(rows, _listed(predictions[max(0, len(X) - latest) : len(X)]), strict=True):
                row.append(value)
        return rows

    def raw_bins(self, X: np.ndarray[Any, Any], predictions: Any) -> list[Ints]:
        """The bins of each watched column."""
        found = []
        for column, values in zip(self._reference.raw, self.values(X, predictions), strict=True):
            found.append(column.bins(_listed(values) if column.is_category else _numeric(values)))
        return found


def _reader(column: Column, base: int) -> Reader:
    """What finds the row of the table for a value: edges of a number, or rows of categories and of any other."""
    if not column.is_category:
        return column.edges.tolist(), None, base, 0
    codes: dict[object, int] = {label: base + place for place, label in enumerate(column.labels)}
    return [], {**codes, None: base + column.missing_bin}, base, base + column.missing_bin - 1


def _numeric(values: Any) -> Floats:
    if isinstance(values, np.ndarray) and values.dtype != object:
        return values
    return numbers(_listed(values))


def _listed(values: Any) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)
