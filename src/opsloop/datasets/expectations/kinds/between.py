"""Values are in a range: numbers, or text in the order of its characters (ISO dates are)."""

from __future__ import annotations

from opsloop.datasets.engine import quoted
from opsloop.datasets.expectations.check import NUMERIC, Check, RowsCheck, Table, TableCheck, filled, outside
from opsloop.datasets.expectations.kinds.registry import (
    RANGE,
    Kind,
    Options,
    needs_an_end,
    one_column,
    register,
    renamed,
)
from opsloop.datasets.expectations.options import COLUMN, STRICT_MAX, STRICT_MIN, ends, numbers_or_texts
from opsloop.datasets.models import ColumnType


def _check(options: Options, table: Table) -> Check:
    column = options["column"]
    kind = table.columns[column]
    limits = [options[name] for name in ("min", "max") if name in options]
    are_texts = [isinstance(limit, str) for limit in limits]
    if kind is ColumnType.EMPTY:
        return RowsCheck("false", "false", (column,))
    if not ((kind is ColumnType.TEXT and all(are_texts)) or (kind in NUMERIC and not any(are_texts))):
        return TableCheck(False, f"{column} is {kind.value}, which cannot be compared with {limits[0]!r}")
    return RowsCheck(filled(column), outside(quoted(column), **ends(options)), (column,))


register(
    Kind(
        "between",
        (COLUMN, *numbers_or_texts("min", "max"), STRICT_MIN, STRICT_MAX),
        _check,
        one_column,
        (renamed("expect_column_values_to_be_between", {"column": "column", **RANGE}),),
        lacks=needs_an_end,
    )
)
