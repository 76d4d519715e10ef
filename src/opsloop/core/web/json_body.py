"""A JSON body in a wanted form; what is wrong with it in our words: field, value, wanted form."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from opsloop.core.errors import InvalidInput

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
        raise InvalidInput(f"body: not valid JSON: {error}", field="body") from None
    except RecursionError:
        raise InvalidInput("body: nested too deeply", field="body") from None


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
    return InvalidInput(f"{field}: {what[:1].lower()}{what[1:]}", field=field)


_JSON_WORDS = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
