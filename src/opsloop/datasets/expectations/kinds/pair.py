"""A column's value is at most another's in the same row; `strict` leaves out that they are equal."""

from __future__ import annotations

from typing import Any

from opsloop.datasets.engine import quoted
from opsloop.datasets.expectations.check import NUMERIC, Check, RowsCheck, Table, TableCheck, filled
from opsloop.datasets.expectations.kinds.registry import Counterpart, Kind, Options, register
from opsloop.datasets.expectations.options import choice, flag, text
from opsloop.datasets.models import ColumnType

# Which rows are left out: those without both values, those that lack one, or none. A missing value breaks the others.
_NULLS = {"both": "both_values_are_missing", "either": "either_value_is_missing", "never": "neither"}


def _check(options: Options, table: Table) -> Check:
    low, high = options["low"], options["high"]
    kinds = {table.columns[low], table.columns[high]} - {ColumnType.EMPTY}
    if not (kinds <= set(NUMERIC) or kinds <= {ColumnType.TEXT}):
        return TableCheck(False, f"{low} is {table.columns[low].value} and {high} is {table.columns[high].value}")
    joined = {"both": " OR ", "either": " AND "}.get(options.get("nulls", "both"))
    counted = "true" if joined is None else f"({joined.join((filled(low), filled(high)))})"
    holds = f"{quoted(low)} {'<' if options.get('strict', False) else '<='} {quoted(high)}"
    return RowsCheck(counted, f"NOT coalesce({holds}, false)", (low, high))


def _take(arguments: Options) -> dict[str, Any] | None:
    nulls = {theirs: ours for ours, theirs in _NULLS.items()}.get(arguments.get("ignore_row_if") or _NULLS["both"])
    if nulls is None:
        return None
    found = {"low": arguments.get("column_B"), "high": arguments.get("column_A")}
    return (
        found | ({} if arguments.get("or_equal") else {"strict": True}) | ({} if nulls == "both" else {"nulls": nulls})
    )


def _give(options: Options) -> dict[str, Any]:
    return {
        "column_A": options["high"],
        "column_B": options["low"],
        "or_equal": not options.get("strict", False),
        "ignore_row_if": _NULLS[options.get("nulls", "both")],
    }


register(
    Kind(
        "pair",
        (text("low"), text("high"), flag("strict"), choice("nulls", *_NULLS)),
        _check,
        lambda options: (options["low"], options["high"]),
        (
            Counterpart(
                "expect_column_pair_values_a_to_be_greater_than_b",
                ("column_A", "column_B", "or_equal", "ignore_row_if"),
                _take,
                _give,
            ),
        ),
    )
)
