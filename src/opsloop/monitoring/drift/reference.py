"""What an endpoint's rows are held against: training rows, compiled once into tables that the hot path looks up."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from opsloop.monitoring.drift import pairs as linked
from opsloop.monitoring.drift._packing import packed, unpacked
from opsloop.monitoring.drift.bets import radius_of
from opsloop.monitoring.drift.blocks import Block
from opsloop.monitoring.drift.columns import Column, Floats, Ints
from opsloop.monitoring.drift.joint import OF_BLOCKS, OF_ROWS, Pace, Scores
from opsloop.monitoring.drift.options import DriftOptions
from opsloop.monitoring.drift.tables import Tables, tables_of

PREDICTION = "prediction"
ENOUGH_ROWS = 100
"""Rows or blocks below which the rate of false alarms is not promised."""
YEAR_S = 365.25 * 86_400.0


@dataclass(frozen=True, eq=False)
class Reference:
    """Made by `fitting.fit`. Of the rows it keeps the bins, no value."""

    options: DriftOptions
    raw: tuple[Column, ...]
    """The columns of a row, the prediction last when it is watched."""
    places: tuple[int, ...]
    """Which columns of X are watched, in the order of `raw`; the prediction's is -1."""
    block: Block
    columns: tuple[Column, ...]
    """What is bet on: `raw`, or figures of a block of rows."""
    pairs: tuple[tuple[int, int], ...]
    bins: npt.NDArray[np.int16]
    """The bins of the reference's rows, or blocks: (rows, columns)."""

    @property
    def rows(self) -> int:
        """Reference rows, or blocks, that the columns were counted over."""
        return len(self.bins)

    @cached_property
    def groups(self) -> tuple[Ints, ...]:
        """The coarse group of each bin, by column."""
        return tuple(linked.groups_of(column) for column in self.columns)

    @cached_property
    def joints(self) -> tuple[Floats, ...]:
        """Reference rows per pair of groups, by pair."""
        found = [groups[self.bins[:, place]] for place, groups in enumerate(self.groups)]
        return tuple(linked.joint_counts(found[first], found[second]) for first, second in self.pairs)

    @cached_property
    def scores(self) -> Scores:
        return Scores(self.columns, self.pairs, self.bins.astype(np.int64), self.groups)

    @property
    def radius(self) -> float:
        return radius_of(self.rows, len(self.columns), self.options.tolerance)

    @property
    def pace(self) -> Pace:
        return OF_BLOCKS if self.block.is_aggregate else OF_ROWS

    @property
    def is_guaranteed(self) -> bool:
        """Whether the set rate of false alarms is promised."""
        return self.rows >= ENOUGH_ROWS and self.block.is_independent

    @property
    def threshold(self) -> float:
        """What the evidence must reach: rows (or years) until a false alarm, on average."""
        options = self.options
        per_year = options.false_alarms_per_year
        return options.false_alarms_every if per_year is None else 1.0 / per_year

    @property
    def unit_mass(self) -> float:
        """What one row adds to the evidence when it says nothing: 1, or one second in years."""
        return 1.0 if self.options.false_alarms_per_year is None else 1.0 / YEAR_S

    @cached_property
    def tables(self) -> Tables:
        return tables_of(
            self.columns,
            self.pairs,
            self.joints,
            self.groups,
            self.pace,
            rows=self.rows,
            tolerance=self.options.tolerance,
        )

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        facts = {
            "options": self.options.as_mapping(),
            "block": self.block.as_mapping(),
            "raw": [_facts(column) for column in self.raw],
            "columns": [_facts(column) for column in self.columns] if self.block.is_aggregate else [],
            "places": self.places,
            "pairs": self.pairs,
        }
        arrays: dict[str, np.ndarray[Any, Any]] = {"bins": self.bins}
        for kind, columns in (("raw", self.raw), ("columns", self.columns if self.block.is_aggregate else ())):
            for place, column in enumerate(columns):
                arrays |= {f"{kind}.{place}.{key}": getattr(column, key) for key in ("edges", "counts", "scores")}
        return packed("drift reference", facts, arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> Reference:
        """Raises: ValueError when these are no reference of this version."""
        facts, arrays = unpacked("drift reference", data)
        raw = tuple(_column(each, arrays, f"raw.{place}") for place, each in enumerate(facts["raw"]))
        own = tuple(_column(each, arrays, f"columns.{place}") for place, each in enumerate(facts["columns"]))
        return cls(
            options=DriftOptions.parse(facts["options"]),
            raw=raw,
            places=tuple(facts["places"]),
            block=Block(**facts["block"]),
            columns=own or raw,
            pairs=tuple((first, second) for first, second in facts["pairs"]),
            bins=arrays["bins"],
        )


def _facts(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "labels": [label.item() if isinstance(label, np.generic) else label for label in column.labels],
        "mean": column.mean,
        "sd": column.sd,
        "quantiles": column.quantiles,
    }


def _column(facts: dict[str, Any], arrays: dict[str, np.ndarray[Any, Any]], key: str) -> Column:
    own = {name: arrays[f"{key}.{name}"] for name in ("edges", "counts", "scores")}
    tuples = {name: tuple(facts[name]) for name in ("labels", "quantiles")}
    return Column(**{**facts, **tuples, **own})
