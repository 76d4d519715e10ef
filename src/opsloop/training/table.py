"""The rows a model learns from: features and target as arrays, with what is known of each column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from opsloop.datasets.models import ColumnType

Array = np.ndarray[Any, Any]
LARGEST = 1e18
"""Largest number that is learned from: squares of larger ones are infinite in float32."""
TEXT_MISSING = ""
"""What stands in a text column for a missing text."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A column to predict from.

    Args:
        low, high: of numbers in the rows learned from.
        categories: of a text, sorted, without the missing one; empty when there are too many to list.
        distinct: how many texts there are.
        has_missing: whether some row has no value.
    """

    name: str
    type: ColumnType
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()
    has_missing: bool = False
    distinct: int = 0

    @property
    def is_text(self) -> bool:
        return self.type is ColumnType.TEXT


@dataclass(frozen=True, eq=False)
class Table:
    """Args:
    X: (rows, features); float64 with NaN for missing when no feature is text, else object with "" for a missing text.
    y: numbers of a regression as float64; labels of a classification as int64, str or bool.
    classes: all labels, in the order of the estimator's `classes_`.
    groups: what rows share that stay together, by column.
    times: rank of each row in time, by column; "" is the order as they stand.
    """

    X: Array
    y: Array
    features: tuple[Feature, ...]
    target: str
    task: str
    classes: tuple[str | int | bool, ...] = ()
    weights: Array | None = None
    groups: dict[str, Array] = field(default_factory=dict)
    times: dict[str, Array] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features)

    @property
    def rows(self) -> int:
        return len(self.y)

    @property
    def is_classification(self) -> bool:
        return self.task == "classification"


@dataclass(frozen=True, eq=False)
class ColumnData:
    """A column of a dataset.

    Args:
        values: float64 for numbers, whole numbers and booleans, else object.
        missing: which rows have no value.
    """

    name: str
    type: ColumnType
    values: Array
    missing: Array

    def kept(self, rows: Array) -> ColumnData:
        return ColumnData(self.name, self.type, self.values[rows], self.missing[rows])


def column_of(name: str, values: Sequence[Any] | Array, type: ColumnType | None = None) -> ColumnData:
    """A column from its values, None or NaN where one is missing."""
    given = values if isinstance(values, np.ndarray) else None
    if given is not None and given.dtype.kind in "fiub":
        found = type or {"b": ColumnType.BOOLEAN, "f": ColumnType.NUMBER}.get(given.dtype.kind, ColumnType.INTEGER)
        numbers = given.astype(np.float64, copy=False)
        return ColumnData(name, found, numbers, np.isnan(numbers))
    cells = np.empty(len(values), dtype=np.object_)
    cells[:] = list(values)
    missing = np.fromiter((value is None or value != value for value in cells), dtype=bool, count=len(cells))
    found = type or _type_of(cells[~missing])
    if found in (ColumnType.TEXT, ColumnType.JSON):
        texts = np.where(missing, TEXT_MISSING, cells)
        return ColumnData(name, found, texts, missing)
    numbers = np.full(len(cells), np.nan)
    numbers[~missing] = cells[~missing].astype(np.float64)
    return ColumnData(name, found, numbers, missing)


def _type_of(values: Array) -> ColumnType:
    kinds = {type(value) for value in values}
    if not kinds:
        return ColumnType.EMPTY
    if all(issubclass(kind, bool | np.bool_) for kind in kinds):
        return ColumnType.BOOLEAN
    if all(issubclass(kind, int | np.integer) for kind in kinds):
        return ColumnType.INTEGER
    if all(issubclass(kind, int | float | np.number) for kind in kinds):
        return ColumnType.NUMBER
    return ColumnType.TEXT if all(issubclass(kind, str) for kind in kinds) else ColumnType.JSON
