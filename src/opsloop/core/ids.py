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


# Any byte gives a digit; 256 is a multiple of 32, so each is as likely.
_DIGITS = bytes(_ALPHABET[byte % 32].encode()[0] for byte in range(256))
_TIME_SHIFTS = tuple(range(45, -1, -5))
_RANDOM_DIGITS, _DRAWN = 16, 256


def _time_digits(ms: int) -> str:
    """10 digits of a number below 2**50."""
    return "".join([_ALPHABET[ms >> shift & 31] for shift in _TIME_SHIFTS])


class RandomIds:
    """Threads share one. Made on the hot path of every request, so randomness is drawn for many ids at once, and what
    a millisecond's ids begin with is kept."""

    def __init__(self) -> None:
        self._drawn: list[str] = []
        self._now = (0, _time_digits(0))
        os.register_at_fork(after_in_child=self._drawn.clear)

    def new(self, noun: str) -> str:
        ms = time.time_ns() // 1_000_000
        known, digits = self._now
        if ms != known:
            digits = _time_digits(ms)
            self._now = (ms, digits)
        return f"{noun}_{digits}{self._random()}"

    def _random(self) -> str:
        try:
            return self._drawn.pop()  # one step: no two threads get the same
        except IndexError:
            drawn = os.urandom(_RANDOM_DIGITS * _DRAWN).translate(_DIGITS).decode()
            self._drawn += [drawn[at : at + _RANDOM_DIGITS] for at in range(_RANDOM_DIGITS, len(drawn), _RANDOM_DIGITS)]
            return drawn[:_RANDOM_DIGITS]


class CountingIds:
    """Ids for tests: `run_00000001`, `run_00000002`; `first` is another number to begin with."""

    def __init__(self, first: int = 1) -> None:
        self._numbers = count(first)

    def new(self, noun: str) -> str:
        return f"{noun}_{next(self._numbers):08d}"
