"""The unit that is taken as independent: a row, a request, or a block of rows or of time.

Rows of real traffic depend on each other: on a day of warm weather every row is warm. A test that takes them as
independent alarms on most such days. Where the reference has an order, the smallest unit is chosen whose figures show
no dependence: no autocorrelation up to lag 10 in any column, by the test of Ljung and Box at 1 % over all columns,
above 0.1. Independent identically distributed blocks are exchangeable; a trend, a season or a memory shows here too.

Source: G. M. Ljung, G. E. P. Box, On a measure of lack of fit in time series models, Biometrika 65 (1978), 297-303.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from opsloop.core.errors import InvalidInput
from opsloop.monitoring.drift.columns import Column, Floats, Ints

LEAST_BLOCKS = 30
_LAGS = 10
_ALPHA = 0.01
_MATTERS = 0.1
_CATEGORIES = 3
_ROWS = (8, 32, 100, 300, 1000)
_SECONDS = {"hour": 3600.0, "day": 86_400.0}


@dataclass(frozen=True, slots=True)
class Block:
    """Args:
    unit: row, request, hour, day or rows.
    rows: of a block of so many rows.
    least_rows: a block of time with fewer says nothing.
    why: what it was chosen for, as a clause.
    is_independent: nothing speaks against blocks being independent of each other.
    """

    unit: str
    rows: int = 1
    why: str = ""
    is_independent: bool = True
    least_rows: int = 1

    @property
    def is_aggregate(self) -> bool:
        """Whether figures of the block are tested, instead of its rows."""
        return self.unit in ("hour", "day", "rows")

    @property
    def seconds(self) -> float | None:
        return _SECONDS.get(self.unit)

    @property
    def words(self) -> str:
        return f"{self.rows} rows" if self.unit == "rows" else self.unit

    def as_mapping(self) -> dict[str, Any]:
        return asdict(self)


ROW = Block("row")


def block_of(
    columns: Sequence[Column], bins: Sequence[Ints], wanted: str, at_s: Floats | None, *, is_ordered: bool
) -> Block:
    """The unit to take: the one that is wanted, or the smallest that looks independent.

    Raises: InvalidInput when hours or days are wanted and the reference has no times, or too few of them.
    """
    if wanted == "request":
        return Block("request", why="set so; rows of one request may depend on each other, requests may not")
    if wanted == "auto":
        return _chosen(columns, bins, at_s, is_ordered=is_ordered)
    block = Block(wanted) if wanted in ("row", *_SECONDS) else Block("rows", int(wanted))
    if block.seconds is not None and at_s is None:
        raise InvalidInput(field="drift.block", value=wanted, wanted="row or auto: the baseline's rows have no times")
    block = _sized(block, at_s)
    table = _figures(columns, bins, block, at_s)
    if block.is_aggregate and len(table) < LEAST_BLOCKS:
        found = f"{len(table)} such blocks"
        raise InvalidInput(
            field="drift.block", value=wanted, wanted=f"at least {LEAST_BLOCKS}; the baseline has {found}"
        )
    if at_s is None and not is_ordered:
        return _with(block, "set so; the reference has no order to check it by", True)
    correlation, is_dependent = _dependence(table)
    if is_dependent:
        return _with(block, f"set so, though successive ones correlate ({correlation:.2f}): no rate is promised", False)
    return _with(block, "set so; the reference shows no dependence between them", True)


def _chosen(columns: Sequence[Column], bins: Sequence[Ints], at_s: Floats | None, *, is_ordered: bool) -> Block:
    if at_s is None and not is_ordered:
        return Block("row", why="the reference has no order, so rows are taken as independent, unchecked")
    candidates = [Block("row"), *(Block("rows", rows) for rows in _ROWS)]
    if at_s is not None:
        candidates = [Block("row"), *(Block(unit) for unit in _SECONDS)]
    last, said = candidates[0], ""
    for candidate in candidates:
        block = _sized(candidate, at_s)
        table = _figures(columns, bins, block, at_s)
        if len(table) < LEAST_BLOCKS:
            break
        correlation, is_dependent = _dependence(table)
        if not is_dependent:
            why = f"{said}; those of one {block.words} do not" if said else "successive rows of it show no dependence"
            return _with(block, why, True)
        last = block
        of = "rows" if block.unit == "row" else f"figures of one {block.words}"
        said = f"successive {of} of the reference correlate ({correlation:.2f})"
    return _with(last, f"{said}, and it is too short for larger blocks: no rate is promised", False)


def _with(block: Block, why: str, is_independent: bool) -> Block:
    return Block(block.unit, block.rows, why, is_independent, block.least_rows)


def _sized(block: Block, at_s: Floats | None) -> Block:
    """With the least rows that a block of time needs: a quarter of what is usual."""
    if block.seconds is None or at_s is None:
        return block
    sizes = np.unique(np.floor(at_s / block.seconds), return_counts=True)[1]
    return Block(block.unit, int(np.median(sizes)), block.why, block.is_independent, max(1, int(np.median(sizes)) // 4))


def _dependence(table: Floats) -> tuple[float, bool]:
    """The largest autocorrelation over columns and lags, and whether it is there beyond chance and matters."""
    rows, columns = table.shape
    lags = max(1, min(_LAGS, rows // 5))
    limit = _chi_square_limit(lags, 1.0 - _ALPHA / max(columns, 1))
    largest, is_dependent = 0.0, False
    for place in range(columns):
        centred = table[:, place] - table[:, place].mean()
        power = float(centred @ centred)
        if power <= 1e-12:
            continue
        r = np.array([float(centred[lag:] @ centred[:-lag]) / power for lag in range(1, lags + 1)])
        q = rows * (rows + 2) * float((r**2 / (rows - np.arange(1, lags + 1))).sum())
        strongest = float(r[np.argmax(np.abs(r))])
        if abs(strongest) > abs(largest):
            largest = strongest
        is_dependent = is_dependent or (q > limit and abs(strongest) > _MATTERS)
    return largest, is_dependent


def _chi_square_limit(freedom: int, probability: float) -> float:
    """A quantile of chi-square (E. B. Wilson, M. M. Hilferty, PNAS 17 (1931), 684-688)."""
    part = 2.0 / (9.0 * freedom)
    return float(freedom * (1.0 - part + NormalDist().inv_cdf(probability) * math.sqrt(part)) ** 3)


def _figures(columns: Sequence[Column], bins: Sequence[Ints], block: Block, at_s: Floats | None) -> Floats:
    return block_table(columns, bins, block, at_s)[0] if block.is_aggregate else _row_table(columns, bins)


def _row_table(columns: Sequence[Column], bins: Sequence[Ints]) -> Floats:
    """Scores of each row, (rows, figures): of a category, whether it is one of the frequent labels."""
    sums = [figures[place] for figures, place in zip(_tables(columns), bins, strict=True)]
    return np.concatenate(sums, axis=1)


def figure_names(columns: Sequence[Column]) -> list[str]:
    """What is known of a block, in the order of `block_table`."""
    names: list[str] = []
    for column in columns:
        if column.is_category:
            names += [f"share of {column.name} {column.labels[place]!r}" for place in _frequent(column)]
            names += [f"share of unseen {column.name}"]
        else:
            names += [f"level of {column.name}", f"spread of {column.name}", f"share of missing {column.name}"]
    return names


def _frequent(column: Column) -> list[int]:
    order = np.argsort(-column.counts[: len(column.labels)], kind="stable")
    return [int(place) for place in order[:_CATEGORIES]]


def _tables(columns: Sequence[Column]) -> list[Floats]:
    """For each column, what a bin adds to the figures of its block: (bins, figures)."""
    found = []
    for column in columns:
        places = np.arange(len(column.counts))
        if column.is_category:
            own = [places == place for place in _frequent(column)]
            own.append(places == len(column.labels))
        else:
            own = [column.scores, column.scores**2, places == column.missing_bin]
        found.append(np.column_stack(own).astype(np.float64))
    return found


def block_table(
    columns: Sequence[Column], bins: Sequence[Ints], block: Block, at_s: Floats | None
) -> tuple[Floats, list[str]]:
    """The figures of each whole block of the reference (blocks, figures), and their names."""
    rows = len(bins[0])
    if block.seconds is not None and at_s is not None:
        order = np.argsort(at_s, kind="stable")
        ids = np.floor(at_s[order] / block.seconds).astype(np.int64)
    else:
        order, ids = np.arange(rows), np.arange(rows) // block.rows
    scored = np.concatenate([table[place[order]] for table, place in zip(_tables(columns), bins, strict=True)], axis=1)
    starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
    sizes = np.diff(np.append(starts, rows))
    sums = np.add.reduceat(scored, starts, axis=0)
    whole = sizes >= (block.least_rows if block.seconds is not None else block.rows)
    if block.seconds is not None:
        whole[[0, -1]] = False
    return _finished(sums[whole] / sizes[whole, None], columns), figure_names(columns)


def _finished(means: Floats, columns: Sequence[Column]) -> Floats:
    """Mean squares to standard deviations."""
    place = 0
    for column in columns:
        if column.is_category:
            place += len(_frequent(column)) + 1
            continue
        means[..., place + 1] = np.sqrt(np.maximum(means[..., place + 1] - means[..., place] ** 2, 0.0))
        place += 3
    return means


class Aggregate:
    """The block that is open while rows come in."""

    def __init__(self, columns: Sequence[Column], block: Block) -> None:
        self._columns, self._block = columns, block
        self._tables = _tables(columns)
        self._sums: Floats = np.zeros(sum(table.shape[1] for table in self._tables))
        self._rows = 0
        self._id: int | None = None

    def add(self, bins: Sequence[Ints], at_s: float) -> list[tuple[list[float], int]]:
        """Take in the rows of a request; the figures of each block that they complete, and its rows."""
        done = []
        scored = np.concatenate([table[place] for table, place in zip(self._tables, bins, strict=True)], axis=1)
        if self._block.seconds is not None:
            now = math.floor(at_s / self._block.seconds)
            if self._id is not None and now > self._id and self._rows:
                done += self._closed()
            self._id = now if self._id is None else max(now, self._id)
            self._sums += scored.sum(axis=0)
            self._rows += len(scored)
            return done
        start = 0
        while start < len(scored):
            end = min(len(scored), start + self._block.rows - self._rows)
            self._sums += scored[start:end].sum(axis=0)
            self._rows += end - start
            start = end
            if self._rows == self._block.rows:
                done += self._closed()
        return done

    def _closed(self) -> list[tuple[list[float], int]]:
        sums, rows = self._sums, self._rows
        self._sums, self._rows = np.zeros_like(sums), 0
        if rows < self._block.least_rows:
            return []
        return [(_finished(sums / rows, self._columns).tolist(), rows)]

    def state(self) -> dict[str, Any]:
        return {"sums": self._sums.tolist(), "rows": self._rows, "id": self._id}

    def restore(self, state: dict[str, Any]) -> None:
        self._sums, self._rows, self._id = np.array(state["sums"]), state["rows"], state["id"]
