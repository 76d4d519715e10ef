"""A text in passages that overlap: what is said in the midst of a long one is not diluted by the rest."""

from __future__ import annotations

from collections.abc import Iterator

SIZE = 800
STEP = 600


def passages(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each, of at most SIZE characters, cut at blanks where there are some near."""
    start = 0
    while len(text) - start > SIZE:
        end = _blank_before(text, start + SIZE, at_least=start + STEP)
        yield start, end
        start = _blank_before(text, start + STEP, at_least=start + STEP // 2)
    if start < len(text):
        yield start, len(text)


def _blank_before(text: str, at: int, *, at_least: int) -> int:
    blank = max(text.rfind(" ", at_least, at), text.rfind("\n", at_least, at))
    return blank + 1 if blank >= 0 else at
