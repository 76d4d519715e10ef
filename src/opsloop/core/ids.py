"""Ids: a word for the noun and a sortable random part, `run_01jd3v…`.

The random part is a ULID's layout (48 bits of milliseconds, 80 random bits, Crockford base 32, lower case), so that
ids sort by creation time and can be made anywhere without asking anybody.
Source: https://github.com/ulid/spec
"""

from __future__ import annotations

import os
import time
from itertools import count
from typing import Protocol

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Ids(Protocol):
    def new(self, noun: str) -> str: ...


# Two digits at a time: ids are made on the hot path of every request.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_RANDOM_BYTES, _DRAWN = 10, 256
_SHIFTS = tuple(range(120, -1, -10))


def _base32(number: int) -> str:
    """26 digits of a number below 2**130."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


class RandomIds:
    """Threads share one; randomness is drawn for many ids at once, for each draw asks the operating system."""

    def __init__(self) -> None:
        self._drawn: list[bytes] = []
        os.register_at_fork(after_in_child=self._drawn.clear)

    def new(self, noun: str) -> str:
        number = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(self._random(), "big")
        return f"{noun}_{_base32(number)}"

    def _random(self) -> bytes:
        try:
            return self._drawn.pop()  # one step: no two threads get the same
        except IndexError:
            drawn = os.urandom(_RANDOM_BYTES * _DRAWN)
            self._drawn += [drawn[at : at + _RANDOM_BYTES] for at in range(_RANDOM_BYTES, len(drawn), _RANDOM_BYTES)]
            return drawn[:_RANDOM_BYTES]


class CountingIds:
    """Ids for tests: `run_00000001`, `run_00000002`."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def new(self, noun: str) -> str:
        return f"{noun}_{next(self._numbers):08d}"
