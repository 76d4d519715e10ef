"""Answers as our nouns: one way for every slice."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from opsloop.core.errors import Failed

T = TypeVar("T")


class AnswerUnreadable(Failed):
    template = "the answer of {where} is not what this version expects ({reason}); use the same version on both sides"


def decode(body: bytes, into: type[T], *, where: str) -> T:
    """JSON as a frozen dataclass (or dict, list); unknown members are ignored: a newer server may say more.

    Raises: AnswerUnreadable.
    """
    try:
        return msgspec.json.decode(body, type=into)
    except msgspec.DecodeError as error:
        raise AnswerUnreadable(where=where, reason=error) from error


def convert(value: Any, into: type[T], *, where: str) -> T:
    """The same for a part of an answer that was decoded already."""
    try:
        return msgspec.convert(value, type=into)
    except msgspec.ValidationError as error:
        raise AnswerUnreadable(where=where, reason=error) from error
