"""A figure over a column's values is in a range: mean, median, least, most, sum, deviation, distinct values."""

from __future__ import annotations

from collections.abc import Callable

from opsloop.datasets.engine import quoted
from opsloop.datasets.expectations.check import NUMERIC, Check, FigureCheck, Table, TableCheck, is_inside
from opsloop.datasets.expectations.kinds.registry import (
    RANGE,
    Kind,
    Options,
    needs_an_end,
    one_column,
    register,
    renamed,
)
from opsloop.datasets.expectations.options import COLUMN, STRICT_MAX, STRICT_MIN, ends, numbers
from opsloop.datasets.models import ColumnType

_NUMBERS = {
    "mean": "avg({0}::DOUBLE)",
    "median": "median({0}::DOUBLE)",
    "min": "min({0}::DOUBLE)",
    "max": "max({0}::DOUBLE)",
    "sum": "sum({0}::DOUBLE)",
    "stdev": "stddev_samp({0}::DOUBLE)",
}
_COUNTS = {
    "unique_value_count": "count(DISTINCT {0})",
    "proportion_of_unique_values": "count(DISTINCT {0}) / nullif(count({0}), 0)",
}


def _checking(figure: str, *, of_numbers: bool) -> Callable[[Options, Table], Check]:
    def check(options: Options, table: Table) -> Check:
        column = options["column"]
        kind = table.columns[column]
        if of_numbers and kind not in (*NUMERIC, ColumnType.EMPTY):
            return TableCheck(False, f"{column} is {kind.value}, and not a number")
        sql = quoted(column) if kind is not ColumnType.EMPTY else "NULL"
        return FigureCheck(figure.format(sql), lambda value: value is not None and is_inside(value, **ends(options)))

    return check


for _name, _figure in (_NUMBERS | _COUNTS).items():
    register(
        Kind(
            f"{_name}_between",
            (COLUMN, *numbers("min", "max"), STRICT_MIN, STRICT_MAX),
            _checking(_figure, of_numbers=_name in _NUMBERS),
            one_column,
            (renamed(f"expect_column_{_name}_to_be_between", {"column": "column", **RANGE}),),
            has_mostly=False,
            lacks=needs_an_end,
        )
    )
