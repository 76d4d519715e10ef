"""Ids: a word for the noun and a sortable random part, `run_01jd3v…`.

The random part is a ULID's layout (48 bits of milliseconds, 80 random bits, Crockford base 32, lower case), so that
ids sort by creation time and can be made anywhere without asking anybody.
Source: https://github.com/ulid/spec
"""

from __future__ import annotations

import secrets
import time
from itertools import count
from typing import Protocol

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Ids(Protocol):
    def new(self, noun: str) -> str: ...


# Two digits at a time: ids are made on the hot path of every request.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = tuple(range(120, -1, -10))


def _base32(number: int) -> str:
    """26 digits of a number below 2**130."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


class RandomIds:
    def new(self, noun: str) -> str:
        number = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
        return f"{noun}_{_base32(number)}"


class CountingIds:
    """Ids for tests: `run_00000001`, `run_00000002`."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def new(self, noun: str) -> str:
        return f"{noun}_{next(self._numbers):08d}"
