"""The options of kinds: their names, forms and defaults."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Fits = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Option:
    """Args: form: what it must be, as a noun phrase."""

    name: str
    fits: Fits
    form: str
    required: bool = True


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(is_text, value))


def _is_values(value: Any) -> bool:
    return isinstance(value, list) and all(
        each is None or isinstance(each, str | bool) or is_number(each) for each in value
    )


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


COLUMN = Option("column", is_text, "a column's name")
COLUMNS = Option("columns", _is_texts, "a list of columns' names")
VALUES = Option("values", _is_values, "a list of texts, numbers or booleans")
STRICT_MIN = Option("strict_min", _is_flag, "true or false", required=False)
STRICT_MAX = Option("strict_max", _is_flag, "true or false", required=False)


def flag(name: str) -> Option:
    return Option(name, _is_flag, "true or false", required=False)


def text(name: str) -> Option:
    return Option(name, is_text, "text")


def numbers(*names: str) -> tuple[Option, ...]:
    return tuple(Option(name, is_number, "a number", required=False) for name in names)


def sizes(*names: str) -> tuple[Option, ...]:
    return tuple(Option(name, _is_size, "a whole number of at least 0", required=False) for name in names)


def numbers_or_texts(*names: str) -> tuple[Option, ...]:
    return tuple(
        Option(
            name,
            lambda value: is_number(value) or is_text(value),
            "a number, or text for columns of text",
            required=False,
        )
        for name in names
    )


def choice(name: str, *known: str) -> Option:
    return Option(name, lambda value: value in known, f"one of {', '.join(known)}", required=False)


def ends(options: Mapping[str, Any]) -> dict[str, Any]:
    """`min`, `max` and which of them are out of the range, as the functions of `check` take them."""
    return {
        "low": options.get("min"),
        "high": options.get("max"),
        "above": options.get("strict_min", False),
        "below": options.get("strict_max", False),
    }
