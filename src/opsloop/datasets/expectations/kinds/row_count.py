"""The dataset has a number of rows in a range."""

from __future__ import annotations

from opsloop.datasets.expectations.check import Check, Table, TableCheck, is_inside
from opsloop.datasets.expectations.kinds.registry import (
    RANGE,
    Counterpart,
    Kind,
    Options,
    needs_an_end,
    no_give,
    register,
    renamed,
)
from opsloop.datasets.expectations.options import STRICT_MAX, STRICT_MIN, ends, sizes


def _check(options: Options, table: Table) -> Check:
    return TableCheck(is_inside(table.rows, **ends(options)), f"there are {table.rows:,} rows")


register(
    Kind(
        "row_count",
        (*sizes("min", "max"), STRICT_MIN, STRICT_MAX),
        _check,
        lambda options: (),
        (
            renamed("expect_table_row_count_to_be_between", RANGE),
            Counterpart(
                "expect_table_row_count_to_equal",
                ("value",),
                lambda arguments: {"min": arguments.get("value"), "max": arguments.get("value")},
                no_give,
            ),
        ),
        has_mostly=False,
        lacks=needs_an_end,
    )
)
