"""Values are among those listed, or are none of them."""

from __future__ import annotations

from opsloop.datasets.engine import quoted
from opsloop.datasets.expectations.check import NUMERIC, Check, RowsCheck, Table, filled, sql_of
from opsloop.datasets.expectations.kinds.registry import Kind, Options, one_column, register, renamed
from opsloop.datasets.expectations.options import COLUMN, VALUES, is_number
from opsloop.datasets.models import ColumnType

_NAMES = {"column": "column", "value_set": "values"}


def _is_among(options: Options, table: Table) -> str:
    """A value of another type than the column's is never there."""
    column = options["column"]
    kind = table.columns[column]
    fits = (
        is_number if kind in NUMERIC else lambda value: isinstance(value, bool if kind is ColumnType.BOOLEAN else str)
    )
    values = [sql_of(value) for value in options["values"] if fits(value)]
    sql = f"{quoted(column)}::VARCHAR" if kind is ColumnType.JSON else quoted(column)
    return f"{sql} IN ({', '.join(values)})" if values else "false"


def _check_in(options: Options, table: Table) -> Check:
    column = options["column"]
    return RowsCheck(filled(column), f"NOT ({_is_among(options, table)})", (column,))


def _check_not_in(options: Options, table: Table) -> Check:
    column = options["column"]
    return RowsCheck(filled(column), _is_among(options, table), (column,))


register(
    Kind("in_set", (COLUMN, VALUES), _check_in, one_column, (renamed("expect_column_values_to_be_in_set", _NAMES),))
)
register(
    Kind(
        "not_in_set",
        (COLUMN, VALUES),
        _check_not_in,
        one_column,
        (renamed("expect_column_values_to_not_be_in_set", _NAMES),),
    )
)
