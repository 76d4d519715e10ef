"""Words, terms and sentences of a text: one implementation for indexing, querying and answering.

A *word* is a run of letters or digits as it stands; a *term* is what is indexed: folded, stemmed, no stop word. Texts
in Chinese, Japanese and Korean script become overlapping pairs of characters, because they do not separate words.
"""

from __future__ import annotations

import re
import sys
import unicodedata
import zlib
from array import array
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, pairwise
from typing import NamedTuple

from opsloop.rag.text._stem import stem

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_CJK = re.compile(r"[぀-ヿ㐀-䶿一-鿿가-힯豈-﫿]+")

STOP_WORDS = frozenset(  # words that say nothing of what a text is about
    """a about above after again against all also am an and any are as at be because been before being below between
    both but by can could did do does doing down during each few for from further had has have having he her here hers
    him his how i if in into is it its itself just me more most my no nor not of off on once only or other our ours out
    over own s same she should so some such t than that the their theirs them then there these they this those through
    to too under until up us very was we were what when where which while who whom why will with would you your yours
    """.split()  # noqa: SIM905 (a list of 120 literals would be longer and read worse)
)


class Span(NamedTuple):
    """Characters `start` up to, not including, `end` of some text."""

    start: int
    end: int


def words(text: str) -> list[str]:
    return _WORD.findall(text)


def count_words(text: str) -> int:
    return len(_WORD.findall(text))


def has_words(text: str) -> bool:
    return _WORD.search(text) is not None


def terms(text: str) -> list[str]:
    """The terms of a text in reading order, repeated as they repeat."""
    return [term for word in _WORD.findall(text) for term in _terms_of(word)]


@lru_cache(maxsize=65_536)
def _terms_of(word: str) -> tuple[str, ...]:
    folded = unicodedata.normalize("NFKC", word).casefold().replace("\u2019", "'").removesuffix("'s").replace("'", "")
    if _CJK.search(folded):
        return tuple(_pairs(folded))
    if not folded or folded in STOP_WORDS:
        return ()
    return (stem(folded),)


def _pairs(word: str) -> Iterator[str]:
    if len(word) == 1:
        yield word
    for left, right in pairwise(word):
        yield left + right


@lru_cache(maxsize=65_536)
def term_id(term: str) -> int:
    """A term as 32 bits (CRC-32), the form in which it is stored: indexes then hold no words of deleted documents.

    Among 50,000 different terms fewer than one pair is expected to collide.
    """
    return zlib.crc32(term.encode("utf-8"))


def term_ids(text: str) -> array[int]:
    """`terms(text)` as an array of unsigned 32-bit ids."""
    return array("I", chain.from_iterable(map(_ids_of, _WORD.findall(text))))


@lru_cache(maxsize=65_536)
def _ids_of(word: str) -> tuple[int, ...]:
    return tuple(term_id(term) for term in _terms_of(word))


def stored_terms(text: str) -> bytes:
    """`term_ids(text)` in the form in which it is stored, little-endian whatever the machine is."""
    ids = term_ids(text)
    if sys.byteorder == "big":
        ids.byteswap()
    return ids.tobytes()


# A sentence ends at . ! or ? (with closing quotes or brackets) before white space and something that can begin one, at
# a full-width stop, at an empty line, and before a bullet or a list's next line. A run of stops is tried once, from its
# first: a line of a million dots takes no longer than another.
_END = re.compile(
    r"(?<![.!?…])[.!?…]++[\"'”\u2019)\]]*+(?=\s+[\"'“\u2018(\[]*[A-Z0-9À-Þ•■▪*#-])"
    r"|[。\uff01\uff1f]+|\n\s*\n|(?=\s[•■▪●]\s)|\n(?=\s*[-*#•|]\s)"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[\"“])(?:[A-Z]|[Mm]rs?|[Mm]s|[Dd]rs?|[Pp]rof|[Ss]t|[Jj]r|[Ss]r|vs|[Ee]tc|[Ee]\.g|[Ii]\.e|[Ff]igs?|[Nn]o|al|"
    r"[Ii]nc|[Cc]o|[Cc]orp|[Ll]td|[Uu]\.[Ss]|[Aa]pprox|[Ss]ec|[Ee]q|[Vv]ol|[Pp]p|[Gg]en|[Cc]ol|[Ss]en|[Rr]ep|[Gg]ov)\.$"
)
# A "sentence" longer than this is a list or a table without full stops; it is cut at the next lesser border.
_LONGEST_WORDS = 80
_LESSER = re.compile(r";(?=\s)|:(?=\s)|\n")


def sentences(text: str) -> list[Span]:
    """The sentences of a text as spans without surrounding white space, in reading order, none empty."""
    found = []
    start = 0
    for match in _END.finditer(text):
        if match[0] == "." and _ABBREVIATION.search(text, max(start, match.end() - 12), match.end()):
            continue
        found += _parts(text, start, match.end())
        start = match.end()
    return found + _parts(text, start, len(text))


def _parts(text: str, start: int, end: int) -> list[Span]:
    """The span trimmed, in one part, or in several when it is too long to be one sentence."""
    span = trimmed(text, start, end)
    if span is None:
        return []
    # Words are at least one character with one between, which spares counting them in most sentences.
    if span.end - span.start < 2 * _LONGEST_WORDS or count_words(text[span.start : span.end]) <= _LONGEST_WORDS:
        return [span]
    cuts = [match.end() for match in _LESSER.finditer(text, span.start, span.end)]
    borders = [span.start, *cuts, span.end]
    parts = [trimmed(text, left, right) for left, right in pairwise(borders)]
    return [piece for part in parts if part is not None for piece in _slices(text, part)]


def _slices(text: str, span: Span) -> list[Span]:
    """Slices of at most `_LONGEST_WORDS` words, for text without any border."""
    starts = [match.start() for match in _WORD.finditer(text, span.start, span.end)][_LONGEST_WORDS::_LONGEST_WORDS]
    borders = [span.start, *starts, span.end]
    return [found for left, right in pairwise(borders) if (found := trimmed(text, left, right))]


def trimmed(text: str, start: int, end: int) -> Span | None:
    """The span without white space at its ends, or None when nothing is left."""
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    right = len(piece.rstrip())
    return Span(start + left, start + right) if right > left else None
