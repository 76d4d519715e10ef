"""A pattern is found in every text, or in none. Patterns are of RE2: no look-around, no back-references."""

from __future__ import annotations

from opsloop.datasets.engine import literal, quoted
from opsloop.datasets.expectations.check import Check, RowsCheck, Table, TableCheck, filled
from opsloop.datasets.expectations.kinds.registry import Kind, Options, one_column, register, renamed
from opsloop.datasets.expectations.options import COLUMN, text
from opsloop.datasets.models import ColumnType

_NAMES = {"column": "column", "regex": "pattern"}


def _check(options: Options, table: Table, *, is_wanted: bool) -> Check:
    column = options["column"]
    kind = table.columns[column]
    if kind not in (ColumnType.TEXT, ColumnType.EMPTY):
        return TableCheck(False, f"{column} is {kind.value}; a pattern is found in text only")
    matches = f"regexp_matches({quoted(column)}, {literal(options['pattern'])})"
    return RowsCheck(filled(column), f"NOT {matches}" if is_wanted else matches, (column,))


register(
    Kind(
        "regex",
        (COLUMN, text("pattern")),
        lambda options, table: _check(options, table, is_wanted=True),
        one_column,
        (renamed("expect_column_values_to_match_regex", _NAMES),),
    )
)
register(
    Kind(
        "not_regex",
        (COLUMN, text("pattern")),
        lambda options, table: _check(options, table, is_wanted=False),
        one_column,
        (renamed("expect_column_values_to_not_match_regex", _NAMES),),
    )
)
