"""Read a request: its headers, its body within a size and a time, its JSON in a wanted form."""

from __future__ import annotations

import asyncio
import re
from typing import TypeVar

import msgspec
from starlette.types import Receive, Scope

from opsloop.core.errors import InvalidInput
from opsloop.gateway.errors import BodyTooLarge, BodyTooSlow

T = TypeVar("T")
# "Expected `str`, got `int` - at `$.messages[0].role`"
_PLACED = re.compile(r"(?P<what>.*) - at `\$\.?(?P<field>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`")
_WRONG = re.compile(r"Expected `(?P<wanted>.*)`, got `(?P<got>.*)`")
_NOT_ONE_OF = re.compile(r"Invalid (?:enum )?value (?P<value>.*)")


class CallerGone(Exception):
    """The caller closed the connection: nobody is left to tell anything."""


def header(scope: Scope, name: bytes) -> str | None:
    """A header by its lower-case name; the first when there are several."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found.decode("latin-1")
    return None


async def body_of(scope: Scope, receive: Receive, *, limit: int, timeout_s: float) -> bytes:
    """The whole body. Raises: BodyTooLarge, before reading when the length is announced; BodyTooSlow; CallerGone."""
    announced = header(scope, b"content-length")
    if announced is not None and announced.isdecimal() and int(announced) > limit:
        raise BodyTooLarge(limit=limit)
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(receive, limit)
    except TimeoutError:
        raise BodyTooSlow(limit_s=timeout_s) from None


async def _read(receive: Receive, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone()
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise BodyTooLarge(limit=limit)
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces) if len(pieces) > 1 else piece


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
