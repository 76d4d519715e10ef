"""Slices of rows by the value that a column of the data has in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.evaluation.slices import condition

MOST_VALUES = 12
LEAST_ROWS = 5
NO_VALUE = "no value"


def columns_for_slices(data: Sequence[Mapping[str, Any]], *, most: int = 3) -> list[str]:
    """Columns whose few values cut the rows into slices worth a look, at most `most` of them."""
    names = dict.fromkeys(name for row in data[:200] for name in row)
    found = [name for name in names if _cuts(data, name)]
    return found[:most]


def slices(data: Sequence[Mapping[str, Any]], column: str) -> dict[str, list[int]]:
    """Places of the rows by the column's value, the largest slice first; what is beyond MOST_VALUES is `others`."""
    by_value: dict[str, list[int]] = {}
    for place, row in enumerate(data):
        by_value.setdefault(_named(row.get(column)), []).append(place)
    ordered = sorted(by_value.items(), key=lambda each: -len(each[1]))
    found = {f"{column}: {value}": places for value, places in ordered[:MOST_VALUES]}
    rest = sorted(place for _, places in ordered[MOST_VALUES:] for place in places)
    if rest:
        found[f"{column}: {len(ordered) - MOST_VALUES} others"] = rest
    return found


def declared_slices(rows: Sequence[tuple[str, Mapping[str, Any]]], declared: Mapping[str, Any]) -> dict[str, list[int]]:
    """Places of the rows that belong to the slices which a gate names; `rows` are datasets and their data."""
    conditions = {name: condition(each, field=f"gate.slices.{name}") for name, each in declared.items()}
    return {
        name: [place for place, (dataset, data) in enumerate(rows) if wanted.holds(data, dataset=dataset)]
        for name, wanted in conditions.items()
    }


def _cuts(data: Sequence[Mapping[str, Any]], column: str) -> bool:
    seen: set[object] = set()
    for row in data:
        value = row.get(column)
        if value is not None and not isinstance(value, str | bool | int):
            return False
        if isinstance(value, str) and len(value) > 60:
            return False
        seen.add(value)
        if len(seen) > MOST_VALUES:
            return False
    return len(seen) >= 2 and len(data) >= LEAST_ROWS * len(seen)


def _named(value: object) -> str:
    if value is None or value == "":
        return NO_VALUE
    text = str(value).lower() if isinstance(value, bool) else " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:59]}…"
