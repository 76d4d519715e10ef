"""What an expectation asks of a snapshot: a part of a query, or a look at its columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opsloop.datasets.engine import literal, quoted
from opsloop.datasets.models import ColumnType

NUMERIC = (ColumnType.INTEGER, ColumnType.NUMBER)


@dataclass(frozen=True, slots=True)
class Table:
    """What is known of a snapshot without reading it."""

    columns: Mapping[str, ColumnType]
    rows: int


@dataclass(frozen=True, slots=True)
class RowsCheck:
    """Rows one by one. Args: counted, broken: conditions in SQL that are true or false, never null."""

    counted: str
    broken: str
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupsCheck:
    """Rows that share their values in some columns break it, all of them."""

    counted: str
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FigureCheck:
    """One figure over all rows. Args: figure: an aggregate in SQL; holds: whether what it gave will do."""

    figure: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class TableCheck:
    """Answered already, from the columns and the count of rows."""

    met: bool
    observed: str


Check = RowsCheck | GroupsCheck | FigureCheck | TableCheck


def filled(column: str) -> str:
    return f"{quoted(column)} IS NOT NULL"


def sql_of(value: float | str | bool) -> str:
    """A value in SQL."""
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) < 2**63:
        return str(value)
    return f"CAST({literal(repr(float(value)))} AS DOUBLE)"


def outside(
    sql: str, low: float | str | None, high: float | str | None, *, above: bool = False, below: bool = False
) -> str:
    """The condition that a value is out of its range. Args: above, below: the ends are not in it."""
    parts = []
    if low is not None:
        parts.append(f"{sql} {'<=' if above else '<'} {sql_of(low)}")
    if high is not None:
        parts.append(f"{sql} {'>=' if below else '>'} {sql_of(high)}")
    return f"({' OR '.join(parts)})" if parts else "false"


def is_inside(value: float, low: float | None, high: float | None, *, above: bool = False, below: bool = False) -> bool:
    """Whether a figure is in its range, in the same sense."""
    return (low is None or value > low or (value == low and not above)) and (
        high is None or value < high or (value == high and not below)
    )
