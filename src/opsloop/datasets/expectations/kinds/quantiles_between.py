"""Quantiles of a column are each in a range. A quantile is one of the values, never a number between two."""

from __future__ import annotations

from typing import Any

from opsloop.datasets.engine import quoted
from opsloop.datasets.expectations.check import NUMERIC, Check, FigureCheck, Table, TableCheck, is_inside
from opsloop.datasets.expectations.kinds.registry import Counterpart, Kind, Options, one_column, register
from opsloop.datasets.expectations.options import COLUMN, Option, is_number
from opsloop.datasets.models import ColumnType


def _is_quantiles(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(is_number(each) and 0 <= each <= 1 for each in value)


def _is_range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(end is None or is_number(end) for end in value)


def _check(options: Options, table: Table) -> Check:
    column = options["column"]
    kind = table.columns[column]
    if kind not in (*NUMERIC, ColumnType.EMPTY):
        return TableCheck(False, f"{column} is {kind.value}, and not a number")
    wanted = ", ".join(repr(float(each)) for each in options["quantiles"])
    figure = f"quantile_disc({quoted(column)}::DOUBLE, [{wanted}])"
    return FigureCheck(
        figure,
        lambda found: (
            found is not None
            and all(is_inside(value, *ends) for value, ends in zip(found, options["ranges"], strict=True))
        ),
    )


def _lacks(options: Options) -> str | None:
    return None if len(options["quantiles"]) == len(options["ranges"]) else "as many ranges as quantiles"


def _take(arguments: Options) -> dict[str, Any] | None:
    ranges = arguments.get("quantile_ranges")
    if not isinstance(ranges, dict) or arguments.get("allow_relative_error"):
        return None
    return {
        "column": arguments.get("column"),
        "quantiles": ranges.get("quantiles"),
        "ranges": ranges.get("value_ranges"),
    }


def _give(options: Options) -> dict[str, Any]:
    ranges = {"quantiles": options["quantiles"], "value_ranges": options["ranges"]}
    return {"column": options["column"], "quantile_ranges": ranges}


register(
    Kind(
        "quantiles_between",
        (
            COLUMN,
            Option("quantiles", _is_quantiles, "a list of numbers from 0 to 1"),
            Option(
                "ranges",
                lambda value: isinstance(value, list) and all(map(_is_range, value)),
                "a list of [least, most], null for no limit",
            ),
        ),
        _check,
        one_column,
        (
            Counterpart(
                "expect_column_quantile_values_to_be_between",
                ("column", "quantile_ranges", "allow_relative_error"),
                _take,
                _give,
            ),
        ),
        has_mostly=False,
        lacks=_lacks,
    )
)
