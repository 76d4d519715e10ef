"""The dataset has these columns: exactly these, in this order where it matters, or at least these."""

from __future__ import annotations

from typing import Any

from opsloop.datasets.expectations.check import Check, Table, TableCheck
from opsloop.datasets.expectations.kinds.registry import Counterpart, Kind, Options, no_give, register
from opsloop.datasets.expectations.options import COLUMNS, flag


def _check_exactly(options: Options, table: Table) -> Check:
    wanted, found = list(options["columns"]), list(table.columns)
    met = wanted == found if options.get("in_order", False) else set(wanted) == set(found)
    return TableCheck(met, f"{_difference(wanted, found) or 'their order is ' + ', '.join(found)}")


def _check_at_least(options: Options, table: Table) -> Check:
    missing = [name for name in options["columns"] if name not in table.columns]
    return TableCheck(not missing, f"{', '.join(missing)} missing")


def _difference(wanted: list[str], found: list[str]) -> str:
    missing = [name for name in wanted if name not in found]
    more = [name for name in found if name not in wanted]
    parts = [f"{', '.join(names)} {what}" for names, what in ((missing, "missing"), (more, "too many")) if names]
    return "; ".join(parts)


def _take_set(arguments: Options, *, exact: bool) -> dict[str, Any] | None:
    columns = arguments.get("column_set")
    if not isinstance(columns, list | tuple) or arguments.get("exact_match", True) is not exact:
        return None
    return {"columns": list(columns)}


def _take_list(arguments: Options) -> dict[str, Any] | None:
    columns = arguments.get("column_list")
    return {"columns": list(columns), "in_order": True} if isinstance(columns, list | tuple) else None


register(
    Kind(
        "columns_exactly",
        (COLUMNS, flag("in_order")),
        _check_exactly,
        lambda options: (),
        (
            Counterpart(
                "expect_table_columns_to_match_ordered_list",
                ("column_list",),
                _take_list,
                lambda options: {"column_list": options["columns"]} if options.get("in_order") else None,
            ),
            Counterpart(
                "expect_table_columns_to_match_set",
                ("column_set", "exact_match"),
                lambda arguments: _take_set(arguments, exact=True),
                lambda options: {"column_set": options["columns"], "exact_match": True},
            ),
        ),
        has_mostly=False,
    )
)
register(
    Kind(
        "columns_at_least",
        (COLUMNS,),
        _check_at_least,
        lambda options: (),
        (
            Counterpart(
                "expect_table_columns_to_match_set",
                ("column_set", "exact_match"),
                lambda arguments: _take_set(arguments, exact=False),
                lambda options: {"column_set": options["columns"], "exact_match": False},
            ),
            Counterpart(
                "expect_column_to_exist",
                ("column", "column_index"),
                lambda arguments: {"columns": [arguments["column"]]} if arguments.get("column_index") is None else None,
                no_give,
            ),
        ),
        has_mostly=False,
    )
)
