"""A text in passages that overlap: what is said in the midst of a long one is not diluted by the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator

SIZE = 800
_ENDS = re.compile(r"[.!?](?=\s)|\n")


def passages(text: str, size: int = SIZE) -> Iterator[tuple[int, int]]:
    """Start and end of each, of at most `size` characters, cut at blanks where there are some near."""
    step = size * 7 // 8
    start = 0
    while len(text) - start > size:
        end = _blank_before(text, start + size, at_least=start + step)
        yield start, end
        start = _blank_before(text, start + step, at_least=start + step // 2)
    if start < len(text):
        yield start, len(text)


def sentences(text: str, size: int) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence or line; of at most `size` characters."""
    start = 0
    for end in [*(found.end() for found in _ENDS.finditer(text)), len(text)]:
        for part, stop in passages(text[start:end], size):
            yield start + part, start + stop
        start = end


def _blank_before(text: str, at: int, *, at_least: int) -> int:
    blank = max(text.rfind(" ", at_least, at), text.rfind("\n", at_least, at))
    return blank + 1 if blank >= 0 else at
