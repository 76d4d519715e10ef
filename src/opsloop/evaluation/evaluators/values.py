"""Values of a row in the form an evaluator needs, or CannotScore with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.core.errors import shown
from opsloop.evaluation.errors import CannotScore


def text(values: Mapping[str, Any], name: str) -> str:
    """Text as it is; numbers and booleans as they are written."""
    value = values[name]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise CannotScore(f"{name} is {shown(value)}; wanted text")


def texts(values: Mapping[str, Any], name: str) -> list[str]:
    """A text, or several of which any is right."""
    value = values[name]
    if isinstance(value, list):
        return [text({name: each}, name) for each in value]
    return [text(values, name)]


def flag(values: Mapping[str, Any], name: str) -> bool | None:
    """True, false, or None when there is no value; as text too, which is how CSV and some flows write it."""
    value = values.get(name)
    if value is None or isinstance(value, bool):
        return value
    word = str(value).strip().casefold()
    if word in ("true", "yes", "1", "false", "no", "0"):
        return word in ("true", "yes", "1")
    raise CannotScore(f"{name} is {shown(value)}; wanted true or false")


def given_list(values: Mapping[str, Any], name: str) -> list[Any]:
    value = values[name]
    if not isinstance(value, list):
        raise CannotScore(f"{name} is {shown(value)}; wanted a list")
    return value


def texts_in(values: Mapping[str, Any], name: str, keys: tuple[str, ...]) -> list[str]:
    """The texts of a list of texts or of objects that hold one."""
    return [_text_in(name, each, keys) for each in given_list(values, name)]


def _text_in(name: str, value: Any, keys: tuple[str, ...]) -> str:
    if isinstance(value, Mapping):
        value = next((value[key] for key in keys if key in value), None)
    if not isinstance(value, str) or not value.strip():
        raise CannotScore(f"{name} holds {shown(value)}; wanted texts, or objects with one of {', '.join(keys)}")
    return value
