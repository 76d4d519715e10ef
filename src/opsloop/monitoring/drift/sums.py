"""The evidence that something has changed: of every bet the sum over all starts.

For each bet k the Shiryaev-Roberts sum of its e-values, started anew at every row,

    R_k <- (R_k + c) e_k(row),          M = sum over k of weight_k R_k,     weights summing to 1,

grows by at most c per row on average while nothing has changed, so the mean number of rows until M passes A is at
least A with c = 1 (with c the time since the row before: the mean time). The mixture has this property whatever the
number of bets is, and whatever the dependence between columns is.

Source: J. Shin, A. Ramdas, A. Rinaldo, E-detectors: a nonparametric framework for sequential change detection, New
England J. Stat. Data Sci. 2 (2024), 229-260; A. N. Shiryaev, On optimum methods in quickest detection problems (1963).
"""

from __future__ import annotations

import numpy as np

from opsloop.monitoring.drift.bets import IDLE
from opsloop.monitoring.drift.columns import Floats, Ints
from opsloop.monitoring.drift.joint import Directions
from opsloop.monitoring.drift.pairs import BETS_PER_PAIR, GROUPS
from opsloop.monitoring.drift.reference import Reference

CHUNK = 48
"""Rows of a batch that are multiplied up at once: exp(12) to this power fits into a float, and so does its inverse."""
_IDLE_FACTOR = 1.0 / (1.0 + IDLE)


class Sums:
    """Of one detector. A row comes as its tokens, the rows of the tables that it selects: by column, then by pair."""

    def __init__(self, reference: Reference) -> None:
        tables, columns = reference.tables, len(reference.columns)
        width = tables.factors.shape[1]
        self.values: Floats = np.zeros(len(tables.bets))
        self.weights = tables.weights
        self.directions = Directions(reference.scores, reference.radius, reference.pace)
        self.pending: list[list[int]] = []
        """Tokens of the rows since the directions were learned."""
        self._period = reference.pace.period
        self._factors: Floats = np.full(len(tables.bets), _IDLE_FACTOR)
        self._of_columns = self._factors[: columns * width].reshape(columns, width)
        self._ends = columns * width + len(reference.pairs) * BETS_PER_PAIR
        self._of_pairs = self._factors[columns * width : self._ends].reshape(len(reference.pairs), BETS_PER_PAIR)
        self._of_all = self._factors[self._ends :]
        self._table, self._pair_table = tables.factors, tables.pair_factors
        self._groups = tables.groups.tolist()
        bases = tables.pair_bases.tolist()
        self._pairs = [(first, second, base) for (first, second), base in zip(reference.pairs, bases, strict=True)]
        self._columns = columns
        self._shifts: Ints = np.repeat([0, len(tables.factors)], [columns, len(bases)]).astype(np.int64)

    @property
    def total(self) -> float:
        return float(self.values.dot(self.weights))

    @property
    def left(self) -> int:
        """Rows until the next directions are learned."""
        return self._period - len(self.pending)

    def row(self, tokens: list[int], mass: float) -> float:
        """Take in one row; the total after it. To its tokens by column those by pair are added."""
        self._table.take(tokens, 0, self._of_columns, "clip")
        cells: list[int] = []
        if self._pairs:
            groups = self._groups
            of = [groups[token] for token in tokens]
            cells = [base + GROUPS * of[first] + of[second] for first, second, base in self._pairs]
            self._pair_table.take(cells, 0, self._of_pairs, "clip")
        if self.directions.is_betting:
            self.directions.into(self._of_all, tokens, cells)
        tokens += cells
        values = self.values
        values += mass
        values *= self._factors
        return float(values.dot(self.weights))

    def rows(self, tokens: Ints, mass: float, threshold: float) -> Floats:
        """Take in at most CHUNK rows; the totals after each. At the row that passes the threshold the sums stop.

        With P the running product of the factors, R = P (R0 + c sum 1/P): every term is positive, so nothing cancels.
        """
        products = np.multiply.accumulate(self.factors(tokens), axis=0)
        sums = np.empty_like(products)
        np.add(self.values, mass, out=sums[0])
        np.divide(mass, products[:-1], out=sums[1:])
        np.add.accumulate(sums, axis=0, out=sums)
        sums *= products
        totals: Floats = sums @ self.weights
        over = totals >= threshold
        self.values[:] = sums[int(np.argmax(over)) if over.any() else -1]
        return totals

    def averaged(self, tokens: Ints, mass: float) -> float:
        """Take in rows that may depend on each other as one; the total. An average of e-values is an e-value."""
        self.values += mass
        self.values *= self.factors(tokens).mean(axis=0)
        return self.total

    def factors(self, tokens: Ints) -> Floats:
        """The factors of some rows, (rows, bets)."""
        factors = np.empty((len(tokens), len(self.values)))
        columns, size = self._columns, self._of_columns.size
        factors[:, :size] = self._table.take(tokens[:, :columns], 0).reshape(len(tokens), size)
        if self._pairs:
            factors[:, size : self._ends] = self._pair_table.take(tokens[:, columns:], 0).reshape(len(tokens), -1)
        if self.directions.is_betting:
            factors[:, self._ends :] = self.directions.factors(tokens + self._shifts)
        else:
            factors[:, self._ends :] = _IDLE_FACTOR
        return factors

    def learn(self) -> None:
        """Learn new directions once enough rows are pending."""
        if len(self.pending) >= self._period:
            self.directions.learn(np.array(self.pending, dtype=np.int64) + self._shifts)
            self._of_all[:] = _IDLE_FACTOR
            self.pending = []
