"""Numbers of documents without a check digit: the words before must name the document."""

from __future__ import annotations

import re
from collections.abc import Iterator

LEAST_DIGITS = 4


def pattern(documents: str, *, length: int) -> re.Pattern[str]:
    """A document's name and its number, the group `number`.

    Args:
        documents: names of the document, as a pattern.
        length: of the longest number, in characters.
    """
    return re.compile(
        rf"(?:{documents})[\"']?(?:[ _-]?(?:number|num|no\.?|nr\.?|nummer|#|id|numéro|número)){{0,2}}[\"']?"
        rf"\s{{0,2}}(?:is|ist|was|[:=#]|\s){{0,3}}[\"']?"
        rf"(?P<number>[A-Z0-9](?<![\w].)[A-Z0-9]{{5,{length - 1}}})(?![\w-])",
        re.IGNORECASE | re.DOTALL,
    )


def numbers(named: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Start and end of the numbers that hold enough digits to be no word."""
    for found in named.finditer(text):
        if sum(char.isdigit() for char in found["number"]) >= LEAST_DIGITS:
            yield found.span("number")
