"""Cut a text into chunks to show and windows to find.

A *chunk* is what an answer is drawn from and what a reader is shown; a *window* inside it is what is matched with the
question, small enough to speak of one thing. Every span points into the text as it was given: nothing is rewritten.
A form feed ends a page; a chunk of sentences never runs over the end of a page, so that it can name its page.
Sizes: windows of 60-120 words did best on the sets of `benchmarks/retrieval_quality.py`, chunks of 200 words on the
long documents of `benchmarks/answer_quality.py`.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from opsloop.core.errors import InvalidInput
from opsloop.rag.text.words import Span, count_words, has_words, sentences, trimmed

CHUNK_WORDS = 400
WINDOW_WORDS = 120
FIXED_WORDS = 500

_HEADING = re.compile(r"^(#{1,6})[ \t]+(\S.*)$", re.MULTILINE)
_PAGE_END = "\f"
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk before it is stored: its span, the headings above it, and the spans of its windows, in reading order.

    `page` is that on which it begins, from 1; None when the text has no pages.
    """

    start: int
    end: int
    heading: str
    windows: tuple[Span, ...]
    page: int | None = None


@dataclass(frozen=True, slots=True)
class _Sentence:
    span: Span
    words: int
    section: int


def by_sentences(text: str, most_words: int = CHUNK_WORDS) -> list[Piece]:
    """Chunks of whole sentences with windows of whole sentences; a section of a Markdown text is not split needlessly.

    Returns: chunks of at most `most_words` words (one sentence over), none empty; [] for a text without words.
    """
    headings = _Headings(text)
    pages = _page_ends(text)
    starts = sorted({*headings.starts, *pages})
    found = [_Sentence(span, count_words(text[span.start : span.end]), 0) for span in _within(text, starts)]
    return [
        Piece(
            group[0].span.start,
            group[-1].span.end,
            headings.at(group[0].span.start),
            _windows(group),
            _page(pages, group[0].span.start),
        )
        for page in _by_page(_place(found, starts), pages)
        for group in _balanced(page, most_words)
        if any(sentence.words for sentence in group)
    ]


def by_words(text: str) -> list[Piece]:
    """Chunks of `FIXED_WORDS` words between white space, each its own window: the form older indexes expect."""
    found = [Span(*match.span()) for match in _WORD.finditer(text)]
    groups = [found[at : at + FIXED_WORDS] for at in range(0, len(found), FIXED_WORDS)]
    headings = _Headings(text)
    pages = _page_ends(text)
    spans = [Span(group[0].start, group[-1].end) for group in groups]
    return [Piece(at.start, at.end, headings.at(at.start), (at,), _page(pages, at.start)) for at in spans]


CHUNKINGS: dict[str, Callable[[str], list[Piece]]] = {
    "sentences": by_sentences,
    "sentences-200": partial(by_sentences, most_words=200),
    "words-500": by_words,
}


def chunked(text: str, chunking: str) -> list[Piece]:
    """Raises: InvalidInput when no chunking has that name."""
    if chunking not in CHUNKINGS:
        raise InvalidInput(field="chunking", value=chunking, wanted=" or ".join(CHUNKINGS))
    return CHUNKINGS[chunking](text)


class _Headings:
    """Where sections begin and the path of headings that leads there, `Install > On Linux`."""

    def __init__(self, text: str) -> None:
        path: list[tuple[int, str]] = []
        self.starts = [0]
        self._paths = [""]
        for match in _HEADING.finditer(text):
            level = len(match[1])
            title = match[2].rstrip().rstrip("#").rstrip() or match[2][:1]
            path = [(above, title) for above, title in path if above < level] + [(level, title)]
            self.starts.append(match.start())
            self._paths.append(" > ".join(title for _, title in path))

    def at(self, position: int) -> str:
        return self._paths[bisect_right(self.starts, position) - 1]


def _page_ends(text: str) -> list[int]:
    return [at for at, character in enumerate(text) if character == _PAGE_END] if _PAGE_END in text else []


def _page(ends: Sequence[int], position: int) -> int | None:
    return bisect_right(ends, position) + 1 if ends else None


def _by_page(found: Sequence[_Sentence], ends: Sequence[int]) -> Iterator[list[_Sentence]]:
    """Sentences of one page after another; all of them when there are no pages."""
    for _, page in groupby(found, key=lambda sentence: bisect_right(ends, sentence.span.start)):
        yield list(page)


def _within(text: str, starts: Sequence[int]) -> Iterator[Span]:
    """Sentences that do not run over the start of a section."""
    for left, right in zip(starts, [*starts[1:], len(text)], strict=True):
        for span in sentences(text[left:right]):
            yield Span(left + span.start, left + span.end)


def _place(found: Sequence[_Sentence], starts: Sequence[int]) -> list[_Sentence]:
    placed = []
    section = 0
    for sentence in found:
        while section + 1 < len(starts) and starts[section + 1] <= sentence.span.start:
            section += 1
        placed.append(_Sentence(sentence.span, sentence.words, section))
    return placed


def _balanced(found: Sequence[_Sentence], most_words: int) -> Iterator[list[_Sentence]]:
    """Consecutive groups of about equal size, as few as `most_words` allows, preferring to end where a section ends."""
    total = sum(sentence.words for sentence in found)
    target = total / max(1, math.ceil(total / most_words))
    group: list[_Sentence] = []
    size = 0
    for sentence in found:
        new_section = bool(group) and sentence.section != group[-1].section and size >= most_words / 2
        if group and (new_section or size + sentence.words > most_words or size + sentence.words / 2 > target):
            yield group
            group, size = [], 0
        group.append(sentence)
        size += sentence.words
    if group:
        yield group


def _windows(group: Sequence[_Sentence]) -> tuple[Span, ...]:
    return tuple(Span(window[0].span.start, window[-1].span.end) for window in _balanced(group, WINDOW_WORDS))


def whole(text: str) -> Piece | None:
    """The text as one chunk, however long, for corpora that come in ready passages; None when it holds no word."""
    span = trimmed(text, 0, len(text))
    if span is None or not has_words(text):
        return None
    found = [_Sentence(part, count_words(text[part.start : part.end]), 0) for part in sentences(text)]
    return Piece(span.start, span.end, "", _windows(found))
