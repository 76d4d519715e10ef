"""A block of rows: how large it is, and what is known of it.

Of a number that is the level, the spread and the missing share of its rows, of a category the shares of its most
frequent labels and of unseen ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from opsloop.monitoring.drift.columns import Column, Floats, Ints

_CATEGORIES = 3
SECONDS = {"hour": 3600.0, "day": 86_400.0}


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
        return SECONDS.get(self.unit)

    @property
    def words(self) -> str:
        return f"{self.rows} rows" if self.unit == "rows" else self.unit

    def as_mapping(self) -> dict[str, Any]:
        return asdict(self)


ROW = Block("row")


def row_table(columns: Sequence[Column], bins: Sequence[Ints]) -> Floats:
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
