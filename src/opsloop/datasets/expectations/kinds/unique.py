"""No two rows share a value in a column, or their values in several columns together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opsloop.datasets.expectations.check import Check, GroupsCheck, Table, filled
from opsloop.datasets.expectations.kinds.registry import Counterpart, Kind, Options, register
from opsloop.datasets.expectations.options import COLUMN, COLUMNS, Option, choice

# Which rows are left out: those without any of the values, those that lack one, or none.
_NULLS = {"all": "all_values_are_missing", "any": "any_value_is_missing", "never": "never"}


def _columns(options: Options) -> Sequence[str]:
    return options["columns"] if "columns" in options else (options["column"],)


def _check(options: Options, table: Table) -> Check:
    columns = tuple(_columns(options))
    joined = {"all": " OR ", "any": " AND "}.get(options.get("nulls", "all"))
    return GroupsCheck("true" if joined is None else f"({joined.join(map(filled, columns))})", columns)


def _lacks(options: Options) -> str | None:
    return None if ("column" in options) != ("columns" in options) else "column or columns, and not both"


def _take_compound(arguments: Options) -> dict[str, Any] | None:
    nulls = {theirs: ours for ours, theirs in _NULLS.items()}.get(arguments.get("ignore_row_if") or _NULLS["all"])
    if nulls is None or not isinstance(arguments.get("column_list"), list | tuple):
        return None
    return {"columns": list(arguments["column_list"])} | ({} if nulls == "all" else {"nulls": nulls})


def _give_compound(options: Options) -> dict[str, Any]:
    return {"column_list": list(_columns(options)), "ignore_row_if": _NULLS[options.get("nulls", "all")]}


register(
    Kind(
        "unique",
        (
            Option(COLUMN.name, COLUMN.fits, COLUMN.form, required=False),
            Option(COLUMNS.name, COLUMNS.fits, COLUMNS.form, required=False),
            choice("nulls", *_NULLS),
        ),
        _check,
        _columns,
        (
            Counterpart(
                "expect_column_values_to_be_unique",
                ("column",),
                lambda arguments: {"column": arguments["column"]} if "column" in arguments else None,
                lambda options: {"column": options["column"]} if "column" in options else None,
            ),
            Counterpart(
                "expect_compound_columns_to_be_unique", ("column_list", "ignore_row_if"), _take_compound, _give_compound
            ),
        ),
        lacks=_lacks,
    )
)
