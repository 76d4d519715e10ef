"""Whether one value is what a column of a signature takes, and the form that it should have."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from opsloop.models.signature import Field, FieldType

LARGEST = 3.4028234663852886e38
"""Larger numbers are infinite in a model's float32."""
LARGEST_WHOLE = 2**53
"""Larger whole numbers are not exact in float64."""
SHOWN_NAMES = 12
_TYPES: Mapping[FieldType, str] = {
    FieldType.NUMBER: "a finite number",
    FieldType.INTEGER: "a whole number",
    FieldType.BOOLEAN: "true or false",
    FieldType.TEXT: "a string",
}


def wanted_of(field: Field, value: Any) -> str | None:
    """The form that a value does not have, or None when it has it."""
    form = _TYPES[field.type] + (" or null" if field.nullable else "")
    if value is None:
        return None if field.nullable else form
    match field.type:
        case FieldType.TEXT:
            return _wanted_text(field, value, form)
        case FieldType.BOOLEAN:
            return None if isinstance(value, bool) or (_is_number(value) and value in (0, 1)) else form
        case FieldType.INTEGER:
            return _wanted_whole(value, form)
        case _:
            if not _is_number(value) or not math.isfinite(_as_float(value)):
                return form
            return None if abs(value) <= LARGEST else f"a number between -{LARGEST:.2g} and {LARGEST:.2g}"


def _wanted_text(field: Field, value: Any, form: str) -> str | None:
    if not isinstance(value, str):
        return form
    if not field.categories or value in field.categories:
        return None
    listed = ", ".join(repr(each) for each in field.categories[:SHOWN_NAMES])
    more = f" and {len(field.categories) - SHOWN_NAMES} more" if len(field.categories) > SHOWN_NAMES else ""
    return f"one of {listed}{more}"


def _wanted_whole(value: Any, form: str) -> str | None:
    if not _is_number(value) or not math.isfinite(_as_float(value)) or value != math.floor(value):
        return form
    return None if abs(value) <= LARGEST_WHOLE else f"a whole number between -{LARGEST_WHOLE} and {LARGEST_WHOLE}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
