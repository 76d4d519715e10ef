"""Expectations compiled for the hot path: one look at a matrix tells most requests that nothing is broken.

Whether numbers are there and in their ranges, by far the most frequent, is looked at all at once in a matrix. The other
expectations are functions of their columns. What is about a dataset and not about rows is answered when it is compiled:
the columns and their types by the model's signature; the number of rows by nothing, since a request has as many as it
likes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from opsloop.datasets.expectations.models import Expectation
from opsloop.monitoring.expectations import columns, figures
from opsloop.monitoring.expectations.columns import Counts

IsBroken = Callable[[Any], bool]
_FEW_ROWS = 4
_NOTHING: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unchecked:
    """An expectation that no request can break or meet, and why."""

    expectation: str
    reason: str


class Compiled:
    """Thread-safe: it holds nothing of the rows. `unchecked` names what a request is not checked for."""

    def __init__(
        self,
        ranges: Sequence[tuple[int, float, float]],
        simple: Sequence[tuple[str, IsBroken]],
        others: Sequence[tuple[str, IsBroken]],
        unchecked: Sequence[Unchecked],
        inputs: int,
    ) -> None:
        self.unchecked = tuple(unchecked)
        self._simple = tuple(simple)
        self._others = tuple(others)
        self._low = np.full(inputs, -np.inf)
        self._high = np.full(inputs, np.inf)
        for place, low, high in ranges:
            self._low[place] = max(self._low[place], low)
            self._high[place] = min(self._high[place], high)
        self._lows, self._highs = self._low.tolist(), self._high.tolist()

    def __bool__(self) -> bool:
        return bool(self._simple or self._others)

    def broken(self, X: Any) -> tuple[str, ...]:
        """The names of the expectations that these rows break.

        Args:
            X: rows and inputs in the order of the signature.
        """
        asked = self._others if not self._simple or self._is_plainly_fine(X) else (*self._simple, *self._others)
        return tuple([name for name, is_broken in asked if is_broken(X)]) if asked else _NOTHING

    def _is_plainly_fine(self, X: Any) -> bool:
        """Whether every number is there and in its range. NaN is in none."""
        if X.dtype == object:
            return False
        if len(X) <= _FEW_ROWS:  # numpy would take longer to begin
            for row in X.tolist():
                for low, value, high in zip(self._lows, row, self._highs, strict=False):
                    if not low <= value <= high:
                        return False
            return True
        return bool(((self._low <= X) & (self._high >= X)).all())


def compiled(expectations: Sequence[Expectation], inputs: Mapping[str, str]) -> Compiled:
    """Args: inputs: type by name (`number`, `integer`, `boolean`, `text`), in the order of the signature."""
    places = {name: place for place, name in enumerate(inputs)}
    ranges: list[tuple[int, float, float]] = []
    simple: list[tuple[str, IsBroken]] = []
    others: list[tuple[str, IsBroken]] = []
    unchecked: list[Unchecked] = []
    for each in expectations:
        name = str(each)
        if (reason := _why_not(each, inputs)) is not None:
            unchecked.append(Unchecked(name, reason))
        elif (limits := _range(each, inputs)) is not None:
            place = places[each.options["column"]]
            ranges.append((place, *limits))
            simple.append((name, _in_range(place, *limits)))
        elif each.expect == "not_null" and each.mostly == 1:
            simple.append((name, _not_null(places[each.options["column"]])))
        elif (is_broken := _compiled(each, places)) is not None:
            others.append((name, is_broken))
    return Compiled(ranges, simple, others, unchecked, len(inputs))


def _why_not(each: Expectation, inputs: Mapping[str, str]) -> str | None:
    """Why no request is checked for an expectation; None when each is."""
    if each.expect == "row_count":
        return "a request has as many rows as it likes"
    missing = [name for name in _columns(each) if name not in inputs]
    if missing and each.expect != "columns_exactly":
        return f"the model has no input {', '.join(missing)}"
    if each.expect in ("columns_exactly", "columns_at_least"):
        return None if set(_columns(each)) <= set(inputs) else f"the model's inputs are {', '.join(inputs)}"
    if "pattern" in each.options:
        column = each.options["column"]
        return _not_a_pattern(each.options["pattern"]) if inputs[column] == "text" else f"{column} is {inputs[column]}"
    if each.expect not in _KINDS:
        return "this kind is not known to the gateway"
    return _wrong_type(each, inputs)


def _wrong_type(each: Expectation, inputs: Mapping[str, str]) -> str | None:
    """Why the signature alone says that an expectation cannot be met; None when it can."""
    column = str(each.options.get("column"))
    is_text = inputs.get(column) == "text"
    wants_numbers = each.expect == "quantiles_between" or each.expect in figures.OF_NUMBERS
    is_of_texts = each.expect == "between" and any(isinstance(each.options.get(end), str) for end in ("min", "max"))
    if is_of_texts and not is_text:
        return f"{column} is {inputs[column]}, and its ends are text"
    if (wants_numbers and is_text) or (each.expect == "length_between" and not is_text):
        return f"{column} is {inputs[column]}"
    if each.expect == "type":
        wanted = set(each.options["types"]) | ({"integer"} if "number" in each.options["types"] else set())
        is_fine = inputs[column] in wanted or (inputs[column] == "number" and "integer" in wanted)
        return None if is_fine else f"{column} is {inputs[column]}"
    return None


def _compiled(each: Expectation, places: Mapping[str, int]) -> IsBroken | None:
    """A function of the matrix; None for what the signature keeps, so that no request that gets here breaks it."""
    if each.expect in columns.CHECKS:
        count = columns.CHECKS[each.expect](each.options)
        place = places[each.options["column"]]
        return lambda X: _is_broken(count(X[:, place]), each.mostly)
    if each.expect in figures.CHECKS:
        holds = figures.CHECKS[each.expect](each.options)
        place = places[each.options["column"]]
        return lambda X: not holds(X[:, place])
    if each.expect == "unique":
        return _unique(each, places)
    if each.expect == "pair":
        return _pair(each, places)
    if each.expect == "type" and "number" not in each.options["types"] and "integer" in each.options["types"]:
        place = places[each.options["column"]]
        return lambda X: any(value != int(value) for value in columns.present(X[:, place]))
    return None


def _range(each: Expectation, inputs: Mapping[str, str]) -> tuple[float, float] | None:
    """The ends of a range that every number of an input must be in; None when it is not that simple."""
    if each.expect != "between" or each.mostly < 1 or inputs[each.options["column"]] == "text":
        return None
    low, high = each.options.get("min", -np.inf), each.options.get("max", np.inf)
    if isinstance(low, str) or isinstance(high, str):
        return None
    low = np.nextafter(low, np.inf) if each.options.get("strict_min") else low
    high = np.nextafter(high, -np.inf) if each.options.get("strict_max") else high
    return float(low), float(high)


def _in_range(place: int, low: float, high: float) -> IsBroken:
    def is_broken(X: Any) -> bool:
        column = np.asarray(columns.present(X[:, place]), dtype=float)
        return bool(((column < low) | (column > high)).any())

    return is_broken


def _not_null(place: int) -> IsBroken:
    return lambda X: len(columns.present(X[:, place])) < len(X)


def _unique(each: Expectation, places: Mapping[str, int]) -> IsBroken:
    wanted = [places[name] for name in _columns(each)]
    nulls = each.options.get("nulls", "all")
    leaves_out = {"all": all, "any": any}.get(nulls)

    def is_broken(X: Any) -> bool:
        rows = [tuple(None if value != value else value for value in row) for row in X[:, wanted].tolist()]
        if leaves_out is not None:
            rows = [row for row in rows if not leaves_out(value is None for value in row)]
        return _is_broken(columns.shared(rows), each.mostly)

    return is_broken


def _pair(each: Expectation, places: Mapping[str, int]) -> IsBroken:
    low, high = places[each.options["low"]], places[each.options["high"]]
    is_strict, nulls = each.options.get("strict", False), each.options.get("nulls", "both")

    def holds(left: Any, right: Any) -> bool:
        if left is None or right is None or isinstance(left, str) != isinstance(right, str):
            return False
        return bool(left < right or (left == right and not is_strict))

    def is_broken(X: Any) -> bool:
        pairs = [tuple(None if value != value else value for value in row) for row in X[:, [low, high]].tolist()]
        if nulls != "never":
            leaves_out = all if nulls == "both" else any
            pairs = [pair for pair in pairs if not leaves_out(value is None for value in pair)]
        return _is_broken(Counts(len(pairs), sum(not holds(*pair) for pair in pairs)), each.mostly)

    return is_broken


def _is_broken(counts: Counts, mostly: float) -> bool:
    return counts.broken > 0 and (counts.counted - counts.broken) / counts.counted < mostly


def _columns(each: Expectation) -> list[str]:
    if "columns" in each.options:
        return list(each.options["columns"])
    return [str(each.options[name]) for name in ("column", "low", "high") if name in each.options]


def _not_a_pattern(pattern: str) -> str | None:
    try:
        re.compile(pattern)
    except re.error as error:
        return f"the pattern cannot be used: {error}"
    return None


_KINDS = frozenset({*columns.CHECKS, *figures.CHECKS, "unique", "pair", "type"})
