"""`sql: "SELECT … FROM rows"`: the rows become those of a query.

A query that puts its rows in no order gets them in one, so that the same data gives the same version: the order of
`rows` when it takes each row for itself, else that of all its columns.
"""

from __future__ import annotations

import json
from typing import Any

from opsloop.datasets.confined import one_query
from opsloop.datasets.preparation.rows import VIEW, Rows
from opsloop.datasets.preparation.steps.registry import Apply, step, text


@step("sql")
def sql(at: str, wanted: Any) -> Apply:
    query = text(at, wanted)
    return lambda rows: _apply(rows, at, query)


def _apply(rows: Rows, at: str, query: str) -> None:
    checked = one_query(at, query)
    rows.become(checked if _is_in_order(rows.duck, checked) else f"SELECT * FROM (\n{checked}\n) ORDER BY ALL")  # noqa: S608 (confined)


def _is_in_order(duck: Any, query: str) -> bool:
    [text] = duck.execute("SELECT json_serialize_sql(?)", [query]).fetchone()
    found = json.loads(text)
    if found.get("error"):
        return False
    node = found["statements"][0]["node"]
    kinds = [each["type"] for each in node.get("modifiers", [])]
    if "ORDER_MODIFIER" in kinds:
        return True
    source = node.get("from_table", {})
    takes_each_row = source.get("type") == "BASE_TABLE" and source.get("table_name", "").lower() == VIEW
    return (
        takes_each_row
        and not kinds
        and not node.get("group_sets")
        and '"WINDOW"' not in text
        and "'QUALIFY'" not in text
    )
