"""Expectations of single values, as functions of a column: how many values they speak of, and how many break them.

A missing value (NaN, None) breaks `not_null` alone; the others do not speak of it, as in a dataset.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from opsloop.datasets.expectations.check import is_inside
from opsloop.datasets.expectations.options import ends

Options = Mapping[str, Any]


class Counts(NamedTuple):
    counted: int
    broken: int


ColumnCheck = Callable[[Any], Counts]


def not_null(options: Options) -> ColumnCheck:
    return lambda column: Counts(len(column), len(column) - len(present(column)))


def between(options: Options) -> ColumnCheck:
    limits = ends(options)
    return _each(lambda value: _comparable(value, options) and is_inside(value, **limits))


def in_set(options: Options) -> ColumnCheck:
    wanted = _set(options["values"])
    return _each(lambda value: (_is_truth(value), value) in wanted)


def not_in_set(options: Options) -> ColumnCheck:
    unwanted = _set(options["values"])
    return _each(lambda value: (_is_truth(value), value) not in unwanted)


def length_between(options: Options) -> ColumnCheck:
    limits = ends(options)
    return _each(lambda value: isinstance(value, str) and is_inside(len(value), **limits))


def regex(options: Options) -> ColumnCheck:
    pattern = re.compile(options["pattern"])
    return _each(lambda value: isinstance(value, str) and pattern.search(value) is not None)


def not_regex(options: Options) -> ColumnCheck:
    pattern = re.compile(options["pattern"])
    return _each(lambda value: isinstance(value, str) and pattern.search(value) is None)


CHECKS: dict[str, Callable[[Options], ColumnCheck]] = {
    "not_null": not_null,
    "between": between,
    "in_set": in_set,
    "not_in_set": not_in_set,
    "length_between": length_between,
    "regex": regex,
    "not_regex": not_regex,
}


def present(column: Any) -> list[Any]:
    """The values of a column that are there, as Python's own."""
    values: list[Any] = column.tolist()
    if column.dtype != object and not np.isnan(column).any():
        return values
    # A missing number is NaN, which does not equal itself.
    return [value for value in values if value is not None and value == value]


def shared(rows: Sequence[tuple[Any, ...]]) -> Counts:
    """Rows that share their values with another one."""
    seen = Counter(rows)
    return Counts(len(rows), sum(count for count in seen.values() if count > 1))


def _each(holds: Callable[[Any], bool]) -> ColumnCheck:
    def check(column: Any) -> Counts:
        values = present(column)
        return Counts(len(values), sum(not holds(value) for value in values))

    return check


def _set(values: Sequence[Any]) -> frozenset[tuple[bool, Any]]:
    return frozenset((_is_truth(value), value) for value in values if value is not None)


def _is_truth(value: Any) -> bool:
    # True equals 1, and a list of numbers does not name it.
    return isinstance(value, bool)


def _comparable(value: Any, options: Options) -> bool:
    limit = options.get("min", options.get("max"))
    return isinstance(value, str) == isinstance(limit, str)
