"""What a model wrote, as claims with the quotes that are to prove them, as soon as each is whole.

Models put their lines of JSON into fences, lists or an object of their own, and break them. Every whole JSON object
that holds a sentence counts, wherever it stands; everything else is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# More than six sentences with their quotes take; a model that writes more is broken.
MOST_CHARS = 40_000
MOST_CLAIMS = 12
MOST_QUOTES = 6


@dataclass(frozen=True, slots=True)
class Quote:
    """What a model says stands in a passage; `passage` is a number from 1, or 0 when it named none."""

    passage: int
    text: str


@dataclass(frozen=True, slots=True)
class Claim:
    sentence: str
    quotes: tuple[Quote, ...]


@dataclass(slots=True)
class Reader:
    """Takes a model's text in pieces.

    Attributes:
        says_unanswerable: whether it wrote that the passages do not answer.
        is_full: whether it wrote more than is read; the rest is not wanted.
    """

    says_unanswerable: bool = False
    is_full: bool = False
    _begun: list[str] = field(default_factory=list)
    _taken: int = 0
    _claims: int = 0
    _depth: int = 0
    _in_text: bool = False
    _is_escaped: bool = False

    def feed(self, piece: str) -> Iterator[Claim]:
        """The claims that this piece completes."""
        room = MOST_CHARS - self._taken
        self._taken += len(piece)
        self.is_full = self.is_full or len(piece) > room
        for character in piece[: max(0, room)]:
            if self._ends(character):
                whole = "".join(self._begun)
                self._begun.clear()
                yield from self._claims_of(whole)

    def _ends(self, character: str) -> bool:
        """Take one character; whether it ends an outermost JSON object."""
        if not self._depth and character != "{":
            return False
        self._begun.append(character)
        if self._in_text:
            self._in_text = self._is_escaped or character != '"'
            self._is_escaped = character == "\\" and not self._is_escaped
        elif character == '"':
            self._in_text = True
        elif character in "{}":
            self._depth += 1 if character == "{" else -1
            return not self._depth
        return False

    def _claims_of(self, written: str) -> Iterator[Claim]:
        try:
            value = json.loads(written, strict=False)
        except (ValueError, RecursionError):
            return
        for one in _objects(value):
            self.says_unanswerable = self.says_unanswerable or one.get("answerable") is False
            claim = _claim(one)
            if claim is None:
                continue
            self._claims += 1
            if self._claims > MOST_CLAIMS:
                self.is_full = True
                return
            yield claim


def _objects(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The object itself, or those of a list in it: `{"answer": [{"sentence": …}]}`."""
    if "sentence" in value or "answerable" in value:
        yield value
    for inner in value.values():
        if isinstance(inner, list):
            yield from (one for one in inner if isinstance(one, dict) and "sentence" in one)


def _claim(one: dict[str, Any]) -> Claim | None:
    sentence, quotes = one.get("sentence"), one.get("quotes")
    if not isinstance(sentence, str) or not sentence.strip():
        return None
    found = [_quote(quote) for quote in quotes[:MOST_QUOTES]] if isinstance(quotes, list) else []
    return Claim(sentence, tuple(quote for quote in found if quote is not None))


def _quote(given: object) -> Quote | None:
    if isinstance(given, str):
        return Quote(0, given)
    if not isinstance(given, dict) or not isinstance(given.get("quote"), str):
        return None
    number = given.get("passage")
    return Quote(number if isinstance(number, int) and not isinstance(number, bool) else 0, given["quote"])
