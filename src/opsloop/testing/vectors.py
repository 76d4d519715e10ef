"""Embeddings without a model: texts that share words are near each other, the same text gives the same vector.

Each word is hashed to four places with a sign (feature hashing: Weinberger et al., Feature Hashing for Large Scale
Multitask Learning, ICML 2009); the whole text moves one more place a little, so that no vector is zero and texts of
the same words differ.
"""

from __future__ import annotations

import base64
import math
import re
import sys
from array import array
from hashlib import blake2b

PLACES_PER_WORD = 4
WHOLE_TEXT_WEIGHT = 0.25

_WORD = re.compile(r"\w+")


def vector(text: str, dimensions: int) -> list[float]:
    """A unit vector."""
    found = [0.0] * dimensions
    for word in _WORD.findall(text.lower()):
        hashed = blake2b(word.encode(), digest_size=4 * PLACES_PER_WORD).digest()
        for at in range(0, len(hashed), 4):
            _move(found, hashed[at : at + 4], 1.0)
    _move(found, blake2b(text.encode(), digest_size=4).digest(), WHOLE_TEXT_WEIGHT)
    length = math.sqrt(math.fsum(value * value for value in found))
    return [value / length for value in found]


def _move(found: list[float], hashed: bytes, weight: float) -> None:
    number = int.from_bytes(hashed, "little")
    found[(number >> 1) % len(found)] += weight if number & 1 else -weight


def base64_of(values: list[float]) -> str:
    """The values as 32-bit floats, little-endian, as the official client asks for them."""
    packed = array("f", values)
    if sys.byteorder == "big":
        packed.byteswap()
    return base64.b64encode(packed.tobytes()).decode("ascii")
