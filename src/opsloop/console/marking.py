"""Texts in pieces of which some are marked: the words that were asked for, the quotes that an answer stands on.

The pieces of a text put together are the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opsloop.rag.text.words import terms

_MARK = re.compile(r"\[([0-9]{1,3})\]")
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Piece:
    """`number` is that of the quote that ends here, from 1; 0 for none."""

    text: str
    is_marked: bool = False
    number: int = 0


def matches(text: str, question: str) -> list[Piece]:
    """A text with the words marked that share a term with the question, whatever their ending."""
    asked = set(terms(question))
    return list(_joined(text, [match.span() for match in _WORD.finditer(text) if asked.intersection(terms(match[0]))]))


def _joined(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[Piece]:
    at = 0
    for start, end in spans:
        if start > at:
            yield Piece(text[at:start])
        yield Piece(text[start:end], is_marked=True)
        at = end
    if at < len(text):
        yield Piece(text[at:])


def numbered(answer: str, quotes: Sequence[str]) -> list[Piece]:
    """An answer cut where it stands on a quote, with the quote's number, from 1.

    That is after each quote that it holds word for word; in an answer in other words, at its own marks, `[1]`, of which
    only the numbers are kept.
    """
    ends = sorted((found.end(), number) for number, quote in enumerate(quotes, 1) if (found := _find(answer, quote)))
    if len(ends) < len(quotes) and (marks := _marks(answer, len(quotes))):
        return _at_marks(answer, marks)
    pieces, at = [], 0
    for end, number in ends:
        pieces.append(Piece(answer[at:end], number=number))
        at = end
    if at < len(answer):
        pieces.append(Piece(answer[at:]))
    return pieces


def _marks(answer: str, quotes: int) -> list[re.Match[str]]:
    return [mark for mark in _MARK.finditer(answer) if 1 <= int(mark[1]) <= quotes]


def _at_marks(answer: str, marks: Sequence[re.Match[str]]) -> list[Piece]:
    pieces, at = [], 0
    for mark in marks:
        pieces.append(Piece(answer[at : mark.start()].rstrip(" "), number=int(mark[1])))
        at = mark.end()
    return [*pieces, Piece(answer[at:])] if at < len(answer) else pieces


def _find(answer: str, quote: str) -> re.Match[str] | None:
    """Where the quote stands, however its white space was set."""
    words = quote.split()
    return re.search(r"\s+".join(map(re.escape, words)), answer) if words else None
