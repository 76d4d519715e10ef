"""A JSON body in a wanted form; what is wrong with it in our words: field, value, wanted form."""

from __future__ import annotations

import codecs
import json
import math
import re
from typing import Any, TypeVar

import msgspec

from opsloop.core.errors import InvalidInput, shown

T = TypeVar("T")
# "Expected `str`, got `int` - at `$.messages[0].role`"
_PLACED = re.compile(r"(?P<what>.*) - at `\$\.?(?P<field>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`")
_WRONG = re.compile(r"Expected `(?P<wanted>.*)`, got `(?P<got>.*)`")
_NOT_ONE_OF = re.compile(r"Invalid (?:enum )?value (?P<value>.*)")


def decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The body in the wanted form. Raises: InvalidInput naming the field."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _wrong_form(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unreadable(body, str(error)) from None
    except RecursionError:
        raise InvalidInput("body: nested too deeply", field="body") from None


def unreadable(body: bytes, reason: str) -> InvalidInput:
    """What is wrong with a body that is no JSON. Slow: it is read once more.

    Args:
        reason: of msgspec.
    """
    if not body.strip():
        return InvalidInput("body: is empty; wanted JSON", field="body")
    if body.startswith(_MARKS):
        return InvalidInput("body: begins with a byte order mark; wanted JSON in UTF-8 without one", field="body")
    if (found := _first_not_finite(body)) is not None:
        path, value = found
        said = "NaN" if math.isnan(value) else str(value).replace("inf", "Infinity")
        return InvalidInput(f"{path}: is {said}; wanted a finite number", field=path)
    return InvalidInput(f"body: not valid JSON: {_at(body, reason)}", field="body")


def _at(body: bytes, reason: str) -> str:
    """The reason, and what stands where it is."""
    reason = reason.removeprefix("JSON is malformed: ")
    place = _BYTE.search(reason)
    if place is None:
        return reason
    start = int(place[1]) - reason.startswith("trailing")  # of these it names the place after the first
    near = body[start : start + _NEAR].decode("utf-8", "replace")
    return f"{reason}: {shown(near)}"


def _first_not_finite(body: bytes) -> tuple[str, float] | None:
    """Where the first NaN or infinity is, which this project's readers do not take and Python's does."""
    try:
        waiting: list[tuple[str, Any]] = [("", json.loads(body))]
    except (ValueError, RecursionError):
        return None
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, float) and not math.isfinite(value):
            return path or "body", value
        if isinstance(value, dict):
            waiting += [(f"{path}.{key}" if path else key, each) for key, each in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(f"{path}[{at}]", value[at]) for at in range(len(value) - 1, -1, -1)]
    return None


def _wrong_form(sentence: str) -> InvalidInput:
    """msgspec's sentence in the form of ours: field, value, wanted form."""
    placed = _PLACED.fullmatch(sentence)
    what, field = (placed["what"], placed["field"]) if placed else (sentence, "")
    if (missing := _MISSING.fullmatch(what)) is not None:
        field = f"{field}.{missing['name']}" if field else missing["name"]
        return InvalidInput(f"{field}: is missing; wanted a value", field=field)
    field = field or "body"
    if (wrong := _WRONG.fullmatch(what)) is not None:
        wanted = " or ".join(_JSON_WORDS.get(word, word) for word in wrong["wanted"].split(" | "))
        got = _JSON_WORDS.get(wrong["got"], wrong["got"])
        return InvalidInput(f"{field}: is {got}; wanted {wanted}", field=field)
    if (other := _NOT_ONE_OF.fullmatch(what)) is not None:
        return InvalidInput(f"{field}: is {other['value']}; wanted one of the values of this field", field=field)
    what = _TOO_LARGE.get(what.lower(), what)
    return InvalidInput(f"{field}: {what[:1].lower()}{what[1:]}", field=field)


# In UTF-8 and UTF-16.
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BYTE = re.compile(r"\(byte (\d+)\)$")
_NEAR = 30
_TOO_LARGE = {
    "number out of range": "is larger than any number of 64 bits; wanted a finite number",
    "integer value out of range": "has more digits than are read; wanted a finite number",
}


_JSON_WORDS = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
