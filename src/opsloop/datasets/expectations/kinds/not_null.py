"""Every row has a value in a column."""

from __future__ import annotations

from opsloop.datasets.engine import quoted
from opsloop.datasets.expectations.check import Check, RowsCheck, Table
from opsloop.datasets.expectations.kinds.registry import Kind, Options, one_column, register, renamed
from opsloop.datasets.expectations.options import COLUMN


def _check(options: Options, table: Table) -> Check:
    column = options["column"]
    return RowsCheck("true", f"{quoted(column)} IS NULL", (column,))


register(
    Kind(
        "not_null",
        (COLUMN,),
        _check,
        one_column,
        (renamed("expect_column_values_to_not_be_null", {"column": "column"}),),
    )
)
