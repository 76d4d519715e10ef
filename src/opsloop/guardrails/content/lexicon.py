"""Words by class, misspelt ones too: `w0men`, `womn` and `wmoen` are the class of `women`."""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

_WORDS = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[?!\"]|[$@!|0-9a-z]+")  # noqa: RUF001 (the apostrophe of typesetters)
_LEET = str.maketrans("013457@$!|", "oieastasil")
# Shorter words have too many neighbours that are other words.
_MISSPELT, _GLUED = 5, 5
# Words whose classes in one order say something: `GROUP … HOSTILE`.
_NEAR = 8
_HARMFUL = ("slur", "hostile", "dehuman", "violent", "profane")


@cache
def classes() -> dict[str, str]:
    """The class of each word."""
    found: dict[str, str] = {}
    for name, words in _file()["classes"].items():
        for word in words.split():
            found.setdefault(word, name)
    return found


def read(plain: str) -> list[str]:
    """The words of a plain text; one that has a class is named by it, in capitals."""
    return [_read(word) for word in _WORDS.findall(plain)]


def with_pairs(words: list[str]) -> str:
    """What the model knows of words: themselves, their classes in order, and which class stands before which."""
    named = [(at, word) for at, word in enumerate(words) if word.isupper() or word in ("you", "your", "i", "?")]
    pairs = {
        f"{one}{other}"
        for place, (at, one) in enumerate(named)
        for other_at, other in named[place + 1 : place + 1 + _NEAR]
        if other_at - at <= _NEAR and (one.isupper() or other.isupper())
    }
    return " ".join([*words, *(word for _, word in named), *sorted(pairs)])


@lru_cache(maxsize=1 << 15)
def _read(word: str) -> str:
    name = _class(word)
    return name.upper() if name else word


def _class(word: str) -> str | None:
    known = classes()
    if word in known or len(word) > 40:
        return known.get(word)
    if word.endswith("s") and word[:-1] in known:
        return known[word[:-1]]
    if any(char in "0134$@!|" for char in word) and any(char.isalpha() for char in word):
        return known.get(word.translate(_LEET))
    return _misspelt().get(word) or _glued(word)


@cache
def _misspelt() -> dict[str, str]:
    """Words that lack a letter or have two exchanged, by class; the first letter is right."""
    known = classes()
    other_words = set(_file()["other_words"].split())
    found: dict[str, str] = {}
    for word, name in known.items():
        if len(word) < _MISSPELT or name not in (*_HARMFUL, "group"):
            continue
        lacking = {word[:at] + word[at + 1 :] for at in range(1, len(word))}
        exchanged = {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(1, len(word) - 1)}
        for wrong in (lacking | exchanged) - known.keys():
            found.setdefault(wrong, name)
    return {wrong: name for wrong, name in found.items() if wrong not in other_words}


def _glued(word: str) -> str | None:
    """The class of a harmful word at the end of a longer one that lacks a blank: `absolutefilth`."""
    known = classes()
    for at in range(1, len(word) - _GLUED + 1):
        name = known.get(word[at:])
        if name in _HARMFUL and word[at:] not in _endings():
            return name
    return None


@cache
def _endings() -> frozenset[str]:
    return frozenset(_file()["endings"].split())


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("lexicon.toml").read_text(encoding="utf-8"))
