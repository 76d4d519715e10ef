"""Texts have a length in a range, in characters."""

from __future__ import annotations

from opsloop.datasets.engine import quoted
from opsloop.datasets.expectations.check import Check, RowsCheck, Table, TableCheck, filled, outside
from opsloop.datasets.expectations.kinds.registry import (
    RANGE,
    Counterpart,
    Kind,
    Options,
    needs_an_end,
    no_give,
    one_column,
    register,
    renamed,
)
from opsloop.datasets.expectations.options import COLUMN, STRICT_MAX, STRICT_MIN, ends, sizes
from opsloop.datasets.models import ColumnType


def _check(options: Options, table: Table) -> Check:
    column = options["column"]
    kind = table.columns[column]
    if kind not in (ColumnType.TEXT, ColumnType.EMPTY):
        return TableCheck(False, f"{column} is {kind.value}, which has no length")
    return RowsCheck(filled(column), outside(f"length({quoted(column)})", **ends(options)), (column,))


register(
    Kind(
        "length_between",
        (COLUMN, *sizes("min", "max"), STRICT_MIN, STRICT_MAX),
        _check,
        one_column,
        (
            renamed("expect_column_value_lengths_to_be_between", {"column": "column", **RANGE}),
            Counterpart(
                "expect_column_value_lengths_to_equal",
                ("column", "value"),
                lambda arguments: {
                    "column": arguments.get("column"), "min": arguments.get("value"), "max": arguments.get("value")
                },
                no_give,
            ),
        ),
        lacks=needs_an_end,
    )
)  # fmt: skip
