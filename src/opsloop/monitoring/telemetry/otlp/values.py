"""Values and attributes of the protocol as JSON values, within limits: a sender is not trusted to keep to any."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from typing import Any

MOST_ATTRIBUTES = 128
"""Of one span, event or record; the OpenTelemetry specification's own limit."""
MOST_ITEMS = 128
VALUE_CHARS = 8_192
NAME_CHARS = 255
DEPTH = 5
CUT = "…"


def text(value: str, limit: int = VALUE_CHARS) -> str:
    """Text as a database takes it: PostgreSQL knows no NUL."""
    if "\0" in value:
        value = value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return value if len(value) <= limit else value[: limit - 1] + CUT


def attributes(given: Iterable[Any]) -> tuple[dict[str, Any], int]:
    """Attributes by their keys, and how many were left out over the limit."""
    found: dict[str, Any] = {}
    dropped = 0
    for each in given:
        if len(found) >= MOST_ATTRIBUTES:
            dropped += 1
        elif each.key:
            found[text(each.key, NAME_CHARS)] = value_of(each.value)
    return found, dropped


def value_of(value: Any, depth: int = 0) -> Any:
    """The JSON value of an `AnyValue`; deep or long ones are cut."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return text(value.string_value)
    if kind is None:
        return None
    if kind == "double_value":
        number = value.double_value
        return number if math.isfinite(number) else str(number)
    if kind == "bytes_value":
        return text(base64.b64encode(value.bytes_value[:VALUE_CHARS]).decode())
    if kind == "array_value":
        return CUT if depth >= DEPTH else [value_of(each, depth + 1) for each in value.array_value.values[:MOST_ITEMS]]
    if kind == "kvlist_value":
        if depth >= DEPTH:
            return CUT
        return {
            text(each.key, NAME_CHARS): value_of(each.value, depth + 1)
            for each in value.kvlist_value.values[:MOST_ITEMS]
        }
    return getattr(value, kind)  # a truth value or a whole number
