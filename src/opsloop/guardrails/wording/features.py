"""What a light model knows of a passage: its words, pairs of words and pieces of words, hashed into buckets."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

BUCKETS = 1 << 16
_PIECE = 4
_ODD = 31
# A CJK character counts as a word.
_WORDS = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{1,32}|[!?:;\"`#<>\[\]{}|=$%*\\]"
)


def buckets(text: str) -> set[int]:
    """Of a plain passage, each once. Source: Weinberger et al., Feature Hashing for Large Scale Multitask Learning
    (2009)."""
    words = [_hashed(word) for word in _WORDS.findall(text)]
    found = {(one * _ODD + other) % BUCKETS for (one, _), (other, _) in pairwise(words)}
    found.update(*(pieces for _, pieces in words))
    return found


@lru_cache(maxsize=1 << 15)
def _hashed(word: str) -> tuple[int, tuple[int, ...]]:
    """A word's hash, for its pairs, and the buckets of the word and its pieces."""
    marked = f"<{word}>"
    pieces = {marked, *(marked[at : at + _PIECE] for at in range(len(marked) - _PIECE + 1))}
    buckets_of = tuple(crc32(piece.encode(errors="replace")) % BUCKETS for piece in pieces)
    return crc32(word.encode(errors="replace")), buckets_of
