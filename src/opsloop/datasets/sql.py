"""What a SELECT names, told by DuckDB's own parser, and what it may not name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from opsloop.core.errors import InvalidInput

LIMIT_CHARACTERS = 100_000
# All others read files, addresses, or what this process is and holds.
_TABLE_FUNCTIONS = frozenset(
    {"range", "generate_series", "unnest", "repeat", "repeat_row", "json_each", "json_tree", "unpivot_list"}
)
_REFUSED_FUNCTIONS = frozenset(
    {"current_setting", "getenv", "getvariable", "which_secret", "write_log", "query", "query_table", "file_exists"}
)


class QueryRefused(InvalidInput):
    """A query that cannot be run; the sentence says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"query: {reason}", field="query")


@dataclass(frozen=True, slots=True)
class Select:
    """A SELECT that may run.

    Args:
        tables: what it names, in the order it does.
        own: names that it gives to parts of itself (WITH), which may hide tables.
    """

    text: str
    tables: tuple[str, ...]
    own: frozenset[str]


def select(duck: Any, text: str) -> Select:
    """Check a text to be one SELECT that reads tables only. Raises: QueryRefused."""
    text = text.strip().rstrip(";").rstrip()
    if not text or "\0" in text or len(text) > LIMIT_CHARACTERS:
        raise QueryRefused(f"wanted a SELECT of at most {LIMIT_CHARACTERS:,} characters")
    parsed = msgspec.json.decode(duck.execute("SELECT json_serialize_sql(?::VARCHAR)", [text]).fetchone()[0])
    if parsed["error"]:
        raise QueryRefused(_reason(text, parsed))
    if len(parsed["statements"]) != 1:
        raise QueryRefused("wanted one SELECT, not several statements")
    nodes = list(_nodes(parsed["statements"]))
    for node in nodes:
        _check(node)
    tables = dict.fromkeys(node["table_name"] for node in nodes if node.get("type") == "BASE_TABLE")
    own = {each["key"] for node in nodes for each in (node.get("cte_map") or {}).get("map") or ()}
    return Select(text, tuple(tables), frozenset(own))


def _check(node: dict[str, Any]) -> None:
    match node.get("type"):
        case "TABLE_FUNCTION":
            name = str(node["function"]["function_name"]).lower()
            if name not in _TABLE_FUNCTIONS:
                raise QueryRefused(f"may read datasets only, not {name}(…); wanted their names as tables")
        case "FUNCTION":
            if (name := str(node.get("function_name", "")).lower()) in _REFUSED_FUNCTIONS:
                raise QueryRefused(f"may not call {name}(…): it reads what is no dataset")
        case "BASE_TABLE":
            if node["catalog_name"] or node["schema_name"]:
                path = ".".join(filter(None, (node["catalog_name"], node["schema_name"], node["table_name"])))
                raise QueryRefused(
                    f'there are no schemas; wanted the name of a dataset instead of {path}, as in "NAME"'
                )


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _nodes(part)


def _reason(text: str, parsed: dict[str, Any]) -> str:
    if parsed["error_type"] == "not implemented":
        return "wanted one SELECT; nothing is written, set or loaded by a query"
    where = ""
    if str(parsed.get("position", "")).isdecimal():
        before = text[: int(parsed["position"])]
        where = f"line {before.count(chr(10)) + 1}, column {len(before) - (before.rfind(chr(10)) + 1) + 1}: "
    hint = '; names of other characters than letters, digits and _ stand in double quotes: "golden-questions@2"'
    return f"{where}{parsed['error_message']}{hint}"
