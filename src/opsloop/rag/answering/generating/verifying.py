"""Where a quote stands in a passage, letter by letter but for spaces, capitals and the forms of quotes and dashes.

What is given out is never what a model wrote but what is stored at the place that was found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from opsloop.rag.answering.generating.reading import Quote
from opsloop.rag.models import Passage
from opsloop.rag.text.words import Span, sentences, terms

# A quote that is longer proves as little as "see the document".
MOST_CHARS = 800

_SINGLE = "\u2018\u2019\u201a\u201b\u2032`\u00b4"
_DOUBLE = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_ALIKE = {ord(each): one for one, forms in (("'", _SINGLE), ('"', _DOUBLE), ("-", _DASHES)) for each in forms}
_LEFT_OUT = re.compile(r"\s*(?:\[(?:…|\.\.\.)\]|…|\.\.\.)\s*")
_AROUND = " \t\r\n\"'"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a quote stands; `start` and `end` are offsets into the document."""

    passage: Passage
    start: int
    end: int

    @property
    def quote(self) -> str:
        """What is stored there."""
        return self.passage.text[self.start - self.passage.start : self.end - self.passage.start]

    @property
    def around(self) -> str:
        """The sentences that it stands in."""
        text, first = self.passage.text, self.passage.start
        spans = sentences(text)
        return " ".join(
            text[span.start : span.end]
            for span in spans
            if span.start < self.end - first and span.end > self.start - first
        )


@dataclass(frozen=True, slots=True)
class _Plain:
    """A text in one form for all writings; character `i` comes from character `came_from[i]` of the text."""

    text: str
    came_from: tuple[int, ...]


def places(quote: Quote, passages: Sequence[Passage]) -> list[Place]:
    """Where a quote stands: in the passage it names, else in another; [] unless every part of it (`a … b`) is found."""
    named = [passages[quote.passage - 1]] if 1 <= quote.passage <= len(passages) else []
    for passage in [*named, *(other for other in passages if other not in named)]:
        found = [_span(part, passage.text) for part in _parts(quote.text)]
        spans = [span for span in found if span is not None]
        if spans and len(spans) == len(found):
            return [Place(passage, passage.start + span.start, passage.start + span.end) for span in spans]
    return []


def _parts(quote: str) -> list[str]:
    if len(quote) > MOST_CHARS:
        return []
    return [part for part in (each.strip() for each in _LEFT_OUT.split(quote)) if part]


def _span(quote: str, text: str) -> Span | None:
    """The first place of a quote that cuts no word and says something."""
    if not terms(quote):
        return None
    written = _plain(quote).text.strip()
    plain = _plain(text)
    for wanted in (written, written.strip(_AROUND)):  # models put quotation marks around quotes
        for at in _finds(plain.text, wanted):
            span = Span(plain.came_from[at], plain.came_from[at + len(wanted) - 1] + 1)
            if not _cuts(text, span.start) and not _cuts(text, span.end):
                return span
    return None


def _finds(text: str, wanted: str) -> Iterator[int]:
    at = text.find(wanted) if wanted else -1
    while at >= 0:
        yield at
        at = text.find(wanted, at + 1)


def _cuts(text: str, at: int) -> bool:
    """Whether a word goes on across this place."""
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


@lru_cache(maxsize=256)
def _plain(text: str) -> _Plain:
    """One space for white space of any length, one form of quotes and dashes, no capitals, nothing invisible."""
    characters: list[str] = []
    came_from: list[int] = []
    for at, character in enumerate(text):
        if character.isspace():
            if not characters or characters[-1] != " ":
                characters.append(" ")
                came_from.append(at)
            continue
        if unicodedata.category(character) == "Cf":
            continue
        for one in unicodedata.normalize("NFKC", character.translate(_ALIKE)).casefold():
            characters.append(one)
            came_from.append(at)
    return _Plain("".join(characters), tuple(came_from))
