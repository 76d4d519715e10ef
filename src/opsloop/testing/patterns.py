"""A text that matches a regular expression, for schemas with a pattern."""

from __future__ import annotations

import re

# The standard library's own parser of patterns; its names are not public, but have stayed the same since Python 2.
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

LENGTH_LIMIT = 2_000
_CATEGORIES = {codes.CATEGORY_DIGIT: "1", codes.CATEGORY_WORD: "a", codes.CATEGORY_SPACE: " "}
_OTHERS = "a1 -_.A@é"


class _Unknown(Exception):
    pass


def example(pattern: str, *, least: int = 0) -> str | None:
    """A text in which the pattern is found; None when none was made.

    Args:
        least: shortest length; what repeats is repeated for it.
    """
    try:
        parsed = parser.parse(pattern)
        compiled = re.compile(pattern)
        for repeats in (1, least):
            text = _text(parsed, repeats)
            if len(text) >= least and compiled.search(text):
                return text
    except (re.error, _Unknown, RecursionError, OverflowError):
        pass
    return None


def _text(parsed: Any, repeats: int) -> str:
    made: list[str] = []
    for code, value in parsed:
        made.append(_part(code, value, repeats))
        if sum(map(len, made)) > LENGTH_LIMIT:
            raise _Unknown
    return "".join(made)


def _part(code: Any, value: Any, repeats: int) -> str:
    if code is codes.LITERAL:
        return chr(value)
    if code is codes.NOT_LITERAL:
        return next(each for each in _OTHERS if each != chr(value))
    if code is codes.ANY:
        return "a"
    if code is codes.IN:
        return _member(value)
    if code is codes.BRANCH:
        return _text(value[1][0], repeats)
    if code is codes.SUBPATTERN:
        return _text(value[3], repeats)
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
        low, high, inner = value
        times = min(max(low, repeats if low or repeats > 1 else 0), high, LENGTH_LIMIT)
        return _text(inner, repeats) * int(times)
    if code in (codes.AT, codes.ASSERT, codes.ASSERT_NOT):
        return ""
    raise _Unknown


def _member(items: Any) -> str:
    negated = items[0][0] is codes.NEGATE
    if negated:
        return next((each for each in _OTHERS if not any(_holds(item, each) for item in items[1:])), "~")
    code, value = items[0]
    if code is codes.LITERAL:
        return chr(value)
    if code is codes.RANGE:
        return chr(value[0])
    if code is codes.CATEGORY:
        return _CATEGORIES.get(value, "-")
    raise _Unknown


def _holds(item: Any, character: str) -> bool:
    code, value = item
    if code is codes.LITERAL:
        return chr(value) == character
    if code is codes.RANGE:
        return bool(value[0] <= ord(character) <= value[1])
    return any(known is value and made == character for known, made in _CATEGORIES.items())
