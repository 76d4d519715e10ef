"""A model's answer, read strictly: of the wanted form and within bounds, or not at all."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

TEXT_CHARS = 200_000

Sentences = Annotated[str, msgspec.Meta(max_length=2_000)]


class Unreadable(Exception):
    """The answer is none of the wanted form; the text says how, and holds nothing of the answer."""


class Cited(msgspec.Struct, frozen=True):
    line: int
    quote: Sentences


class Claim(msgspec.Struct, frozen=True):
    sentence: Sentences
    evidence: Annotated[list[Cited], msgspec.Meta(max_length=50)]


class Written(msgspec.Struct, frozen=True):
    """What a model wrote, unchecked."""

    root_cause: Annotated[list[Claim], msgspec.Meta(max_length=20)]
    category: Annotated[str, msgspec.Meta(max_length=100)] = "unknown"
    confidence: float = 1.0
    fix: Annotated[list[Sentences], msgspec.Meta(max_length=50)] = []
    patched_file: Annotated[str, msgspec.Meta(max_length=100_000)] | None = None


def read(text: str) -> Written:
    """The one JSON object of an answer, which may stand in a code block or between words. Raises: Unreadable."""
    if len(text) > TEXT_CHARS:
        raise Unreadable("it is too long")
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise Unreadable("it holds no JSON object")
    try:
        value: Any = msgspec.json.decode(text[start : end + 1].encode("utf-8", "replace"))
        return msgspec.convert(value, Written)
    except msgspec.ValidationError as error:
        raise Unreadable("it is not of the wanted form") from error
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise Unreadable("it is not JSON") from error
