"""Two texts side by side, with the words marked in which they differ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
MOST_WORDS = 1_500
"""Beyond this, comparing takes too long: the texts are then marked as a whole."""


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Sides:
    """The two texts in pieces; put together the pieces of a side are its text."""

    before: tuple[Piece, ...]
    after: tuple[Piece, ...]


def sides(before: str, after: str) -> Sides:
    if before == after:
        return Sides((Piece(before, False),), (Piece(after, False),))
    old, new = _WORD.findall(before), _WORD.findall(after)
    if max(len(old), len(new)) > MOST_WORDS:
        return Sides((Piece(before, True),), (Piece(after, True),))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    left: list[Piece] = []
    right: list[Piece] = []
    for kind, begin, end, other_begin, other_end in matcher.get_opcodes():
        for pieces, words in ((left, old[begin:end]), (right, new[other_begin:other_end])):
            if words:
                pieces.append(Piece("".join(words), kind != "equal"))
    return Sides(tuple(left), tuple(right))
