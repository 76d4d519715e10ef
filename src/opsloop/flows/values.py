"""Turning what a caller sent into the type a flow's input declares."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

from opsloop.flows.images import as_mapping, is_image
from opsloop.flows.models import ValueType

MAX_DEPTH = 100  # values that contain themselves end here

WANTED = {
    ValueType.STRING: "text",
    ValueType.INT: "a whole number",
    ValueType.DOUBLE: "a number",
    ValueType.BOOL: "true or false",
    ValueType.LIST: "a list, or JSON text of one",
    ValueType.OBJECT: "an object, or JSON text of one",
}


class WrongType(ValueError):
    """The value cannot be taken as the type; `wanted` says what can."""

    def __init__(self, type: ValueType) -> None:
        self.wanted = WANTED[type]
        super().__init__(self.wanted)


def coerce(value: Any, type: ValueType) -> Any:
    """A value as `type`. Text is read as the type it stands for; None stays None.

    Raises: WrongType.
    """
    if value is None:
        return None
    convert = _CONVERT.get(type)
    return value if convert is None else convert(value)


def _string(value: Any) -> Any:
    # A str subclass is kept: a rendered prompt remembers which of its text came from values.
    if isinstance(value, str):
        return value
    try:
        return str(value)
    except ValueError:  # a number of more digits than Python writes
        raise WrongType(ValueType.STRING) from None


def _int(value: Any) -> int:
    if isinstance(value, bool):
        raise WrongType(ValueType.INT)
    try:
        if isinstance(value, float) and not value.is_integer():
            raise WrongType(ValueType.INT)
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise WrongType(ValueType.INT) from None


def _double(value: Any) -> float:
    if isinstance(value, bool):
        raise WrongType(ValueType.DOUBLE)
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise WrongType(ValueType.DOUBLE) from None


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text not in ("true", "false", "1", "0"):
        raise WrongType(ValueType.BOOL)
    return text in ("true", "1")


def _list(value: Any) -> list[Any]:
    value = _from_json(value, ValueType.LIST)
    if isinstance(value, tuple):
        value = list(value)
    if not isinstance(value, list):
        raise WrongType(ValueType.LIST)
    return value


def _object(value: Any) -> Any:
    value = _from_json(value, ValueType.OBJECT)
    if isinstance(value, list | tuple | int | float):
        raise WrongType(ValueType.OBJECT)
    return value


def _from_json(value: Any, type: ValueType) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise WrongType(type) from None


_CONVERT = {
    ValueType.STRING: _string,
    ValueType.INT: _int,
    ValueType.DOUBLE: _double,
    ValueType.BOOL: _bool,
    ValueType.LIST: _list,
    ValueType.OBJECT: _object,
}

_OF_ANNOTATION = {
    str: ValueType.STRING,
    int: ValueType.INT,
    float: ValueType.DOUBLE,
    bool: ValueType.BOOL,
    list: ValueType.LIST,
    dict: ValueType.OBJECT,
}


def type_of_annotation(annotation: object) -> ValueType | None:
    """The type that a Python parameter asks for, or None when it asks for nothing this knows."""
    if isinstance(annotation, str):
        return {kind.__name__: type for kind, type in _OF_ANNOTATION.items()}.get(annotation)
    return _OF_ANNOTATION.get(annotation) if isinstance(annotation, type) else None


def plain(value: Any) -> Any:
    """A value as strict JSON can hold it: what has no JSON form becomes its text, not-a-number becomes null."""
    return _plain(value, finite=True)


def journalled(value: Any) -> Any:
    """A value as Python's JSON can hold it and give it back: as `plain`, but not-a-number stays what it is."""
    return _plain(value, finite=False)


# What stays as it is: of what strict JSON is made of, text has to be looked at.
_STAYS = frozenset({int, bool, type(None)})
_STAYS_IN_JOURNAL = _STAYS | {str}


def _text(value: str) -> str:
    """Text that UTF-8 can hold: a lone half of a surrogate pair, which a model or a caller can send, becomes a mark."""
    text = str(value)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _plain(value: Any, *, finite: bool, depth: int = 0) -> Any:
    kind = type(value)
    stays = _STAYS if finite else _STAYS_IN_JOURNAL
    if kind in stays:
        return value
    if kind is str:
        return _text(value)
    if kind is dict and depth <= MAX_DEPTH:  # nearly all of what is written down: each part costs a look at its type
        return {
            key if type(key) is str else str(key): part
            if type(part) in stays
            else _plain(part, finite=finite, depth=depth + 1)
            for key, part in value.items()
        }
    if kind is list and depth <= MAX_DEPTH:
        return [part if type(part) in stays else _plain(part, finite=finite, depth=depth + 1) for part in value]
    return _plain_of_other(value, finite=finite, depth=depth)


def _is_connection(value: object) -> bool:
    """Whether a value is of a connection class, ours or Prompt flow's: what is in it is written nowhere."""
    return hasattr(value, "secrets") and any(base.__name__.endswith("Connection") for base in type(value).__mro__)


def _plain_of_other(value: Any, *, finite: bool, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    # Numbers of other libraries can be subclasses of Python's, which what writes JSON does not take.
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if not finite or math.isfinite(value) else None
    if isinstance(value, str):
        return _text(value) if finite else str(value)
    if is_image(value):
        return as_mapping(value)
    if depth > MAX_DEPTH:
        return "…"
    if _is_connection(value):
        return {"connection": getattr(value, "name", None), "type": type(value).__name__}
    if isinstance(value, Mapping):
        return {str(key): _plain(part, finite=finite, depth=depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part, finite=finite, depth=depth + 1) for part in value]
    if hasattr(value, "dtype") and callable(tolist := getattr(value, "tolist", None)):  # of numpy, or made like it
        return _plain(tolist(), finite=finite, depth=depth + 1)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # A field that its class does not show, a key say, is written nowhere either.
        shown = [part.name for part in dataclasses.fields(value) if part.repr]
        parts = {name: getattr(value, name) for name in shown}
        return _plain(parts, finite=finite, depth=depth + 1)
    return str(value)
