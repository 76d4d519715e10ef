"""A column holds one of some types."""

from __future__ import annotations

from typing import Any

from opsloop.datasets.expectations.check import Check, Table, TableCheck
from opsloop.datasets.expectations.kinds.registry import Counterpart, Kind, Options, no_give, one_column, register
from opsloop.datasets.expectations.options import COLUMN, Option
from opsloop.datasets.models import ColumnType

_KNOWN = tuple(each.value for each in ColumnType if each is not ColumnType.EMPTY)
# What pandas, SQL dialects and Spark call them.
_NAMES = {
    ColumnType.TEXT: "str string object text varchar char nvarchar stringtype string_ unicode",
    ColumnType.INTEGER: "int int8 int16 int32 int64 uint8 uint16 uint32 uint64 integer bigint smallint tinyint "
    "longtype integertype shorttype bytetype",
    ColumnType.NUMBER: "float float16 float32 float64 double double_precision real numeric decimal "
    "doubletype floattype number",
    ColumnType.BOOLEAN: "bool boolean bool_ booleantype",
    ColumnType.JSON: "list dict json jsonb maptype arraytype structtype",
}
_OURS = {name: ours.value for ours, names in _NAMES.items() for name in names.split()}
_THEIRS = {"text": "str", "integer": "int64", "number": "float64", "boolean": "bool", "json": "dict"}


def _check(options: Options, table: Table) -> Check:
    found = table.columns[options["column"]]
    # Whole numbers are numbers; a column of nulls only is of any type.
    fits = found is ColumnType.EMPTY or found.value in options["types"]
    fits = fits or (found is ColumnType.INTEGER and "number" in options["types"])
    return TableCheck(fits, f"it is {found.value}")


def _take(arguments: Options, names: Any) -> dict[str, Any] | None:
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        return None
    types = [_OURS.get(name.lower()) for name in names]
    if None in types or not types or "column" not in arguments:
        return None
    return {"column": arguments["column"], "types": list(dict.fromkeys(types))}


register(
    Kind(
        "type",
        (
            COLUMN,
            Option(
                "types",
                lambda value: isinstance(value, list) and bool(value) and all(each in _KNOWN for each in value),
                f"a list of {', '.join(_KNOWN)}",
            ),
        ),
        _check,
        one_column,
        (
            Counterpart(
                "expect_column_values_to_be_in_type_list",
                ("column", "type_list"),
                lambda arguments: _take(arguments, arguments.get("type_list")),
                lambda options: {
                    "column": options["column"],
                    "type_list": [name for each in options["types"] for name in (_THEIRS[each],)],
                },
            ),
            Counterpart(
                "expect_column_values_to_be_of_type",
                ("column", "type_"),
                lambda arguments: _take(arguments, [arguments.get("type_")]),
                no_give,
            ),
        ),
        has_mostly=False,
    )
)
