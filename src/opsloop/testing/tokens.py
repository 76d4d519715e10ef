"""How tokens are counted here: a word is one, and so is each other character that is not a blank.

No real tokenizer counts so; figures are for tests of what is done with them, never of what a call would cost.
"""

from __future__ import annotations

import re
from itertools import islice

# What a message costs beside its text, as OpenAI's cookbook counts it, and what an image of low detail does.
PER_MESSAGE = 3
PER_IMAGE = 85

_TOKEN = re.compile(r"\w+|[^\w\s]")
_PIECE = re.compile(r"\s*(?:\w+|[^\w\s])|\s+")


def count(text: str) -> int:
    return len(_TOKEN.findall(text))


def pieces(text: str) -> list[str]:
    """The tokens of a text with the blanks before them; put together they are the text."""
    return _PIECE.findall(text)


def cut(text: str, limit: int) -> str:
    """The text up to its token number `limit`; the whole text when it has no more."""
    following = next(islice(_TOKEN.finditer(text), limit, None), None)
    return text if following is None else text[: following.start()].rstrip()
