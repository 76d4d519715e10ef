"""Quick looks at a text: whether it can hold a kind at all. They cost far less than the search."""

from __future__ import annotations

from collections.abc import Callable

May = Callable[[str], bool]


def one_of(*words: str, in_small_letters: bool = False) -> May:
    """A text that holds one of the words, as they are or in small letters."""

    def may_hold(text: str) -> bool:
        looked = text.lower() if in_small_letters else text
        for word in words:  # noqa: SIM110 (any() with a generator takes twice the time)
            if word in looked:
                return True
        return False

    return may_hold


def long_word(length: int) -> May:
    """A text with a word of at least so many characters."""
    return lambda text: max(map(len, text.split()), default=0) >= length
