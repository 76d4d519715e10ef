"""Porter's stemmer for English words; other scripts pass through unchanged.

Source: M. F. Porter, An algorithm for suffix stripping, Program 14 (1980), 130-137; step and rule names are its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise

_VOWELS = "aeiou"
Rules = Sequence[tuple[str, str]]

_STEP_2: Rules = (
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("abli", "able"),
    ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"),
    ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"),
    ("iviti", "ive"), ("biliti", "ble"),
)  # fmt: skip
_STEP_3: Rules = (
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""),
)  # fmt: skip
_STEP_4: Rules = (
    ("ement", ""), ("ance", ""), ("ence", ""), ("able", ""), ("ible", ""), ("ment", ""), ("ant", ""), ("ent", ""),
    ("ism", ""), ("ate", ""), ("iti", ""), ("ous", ""), ("ive", ""), ("ize", ""), ("al", ""), ("er", ""), ("ic", ""),
    ("ou", ""),
)  # fmt: skip


def _is_consonant(word: str, index: int) -> bool:
    letter = word[index]
    if letter in _VOWELS:
        return False
    return letter != "y" or index == 0 or not _is_consonant(word, index - 1)


def _measure(stem: str) -> int:
    """How often a vowel run is followed by a consonant run: the m of [C](VC)^m[V]."""
    shape = [_is_consonant(stem, index) for index in range(len(stem))]
    return sum(1 for left, right in pairwise(shape) if right and not left)


def _has_vowel(stem: str) -> bool:
    return any(not _is_consonant(stem, index) for index in range(len(stem)))


def _ends_double(word: str) -> bool:
    return len(word) > 1 and word[-1] == word[-2] and _is_consonant(word, len(word) - 1)


def _ends_cvc(word: str) -> bool:
    if len(word) < 3 or word[-1] in "wxy":
        return False
    last = len(word) - 1
    return _is_consonant(word, last) and not _is_consonant(word, last - 1) and _is_consonant(word, last - 2)


def _replaced(word: str, rules: Rules, holds: Callable[[str], bool]) -> str:
    """The word after the first rule whose suffix it has, when the condition holds for what is before the suffix."""
    for suffix, put in rules:
        if word.endswith(suffix):
            kept = word[: len(word) - len(suffix)]
            return kept + put if holds(kept) else word
    return word


def _step_1a(word: str) -> str:
    if word.endswith(("sses", "ies")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _step_1b(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    for suffix in ("ed", "ing"):
        kept = word[: len(word) - len(suffix)]
        if word.endswith(suffix) and _has_vowel(kept):
            return _mended(kept)
    return word


def _mended(word: str) -> str:
    if word.endswith(("at", "bl", "iz")):
        return word + "e"
    if _ends_double(word) and word[-1] not in "lsz":
        return word[:-1]
    return word + "e" if _measure(word) == 1 and _ends_cvc(word) else word


def _step_1c(word: str) -> str:
    return word[:-1] + "i" if word.endswith("y") and _has_vowel(word[:-1]) else word


def _step_4(word: str) -> str:
    # -ion falls only after s or t, which stay.
    if word.endswith("ion") and not word.endswith(("sion", "tion")):
        return word
    if word.endswith("ion"):
        return word[:-3] if _measure(word[:-3]) > 1 else word
    return _replaced(word, _STEP_4, lambda kept: _measure(kept) > 1)


def _step_5(word: str) -> str:
    if word.endswith("e"):
        kept = word[:-1]
        if _measure(kept) > 1 or (_measure(kept) == 1 and not _ends_cvc(kept)):
            word = kept
    return word[:-1] if word.endswith("ll") and _measure(word) > 1 else word


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The stem of a lower-case word: `connections`, `connected`, `connecting` → `connect`."""
    if len(word) <= 2 or not word.isascii() or not word.isalpha():
        return word
    word = _step_1c(_step_1b(_step_1a(word)))
    word = _replaced(word, _STEP_2, lambda kept: _measure(kept) > 0)
    word = _replaced(word, _STEP_3, lambda kept: _measure(kept) > 0)
    return _step_5(_step_4(word))
