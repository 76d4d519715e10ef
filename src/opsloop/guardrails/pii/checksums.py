"""Check digits of numbers that people write down. All take the number without separators."""

from __future__ import annotations

from collections.abc import Sequence

# The permutations and products of the dihedral group D5. Source: J. Verhoeff, Error Detecting Decimal Codes (1969).
_VERHOEFF_PERMUTED = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip
_VERHOEFF_TIMES = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321", "6598710432", "7659821043",
    "8765932104", "9876543210",
)  # fmt: skip


def luhn(digits: str) -> bool:
    """Payment cards, Canadian social insurance. Source: ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def iban(number: str) -> bool:
    """Source: ISO 13616-1 with MOD 97-10 of ISO 7064."""
    return int("".join(str(int(char, 36)) for char in number[4:] + number[:4])) % 97 == 1


def weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def verhoeff(digits: str) -> bool:
    """Indian Aadhaar numbers."""
    state = 0
    for place, digit in enumerate(reversed(digits)):
        state = int(_VERHOEFF_TIMES[state][int(_VERHOEFF_PERMUTED[place % 8][int(digit)])])
    return state == 0
