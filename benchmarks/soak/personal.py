"""Personal data that callers and the model write, made so that each piece can be found again in any file."""

from __future__ import annotations

import random
import re

# Each kind has a part that no other text has, and a valid checksum where the kind has one.
PATTERNS = {
    "card": re.compile(rb"4929[ -]?7315[ -]?\d{4}[ -]?\d{4}"),
    "iban": re.compile(rb"DE\d\d ?5001 ?0517 ?\d{4} ?\d{4} ?\d\d"),
    "email": re.compile(rb"[a-z]+\.soakperson\d+@"),
    "phone": re.compile(rb"\+49 ?30 ?7315\d{4}"),
}


def some(source: random.Random) -> str:
    """A sentence with one piece of each kind."""
    return (
        f"My card is {_card(source)}, my IBAN {_iban(source)}, "
        f"write to anna.soakperson{source.randrange(10**6)}@mail.com or call +49 30 7315{source.randrange(10**4):04d}."
    )


def _card(source: random.Random) -> str:
    """Sixteen digits whose last makes the sum of Luhn (ISO/IEC 7812-1) a multiple of ten."""
    digits = f"49297315{source.randrange(10**7):07d}"
    total = sum(_doubled(int(each)) if place % 2 == 0 else int(each) for place, each in enumerate(digits))
    digits += str(-total % 10)
    return " ".join(digits[at : at + 4] for at in range(0, 16, 4))


def _doubled(digit: int) -> int:
    return sum(divmod(2 * digit, 10))


def _iban(source: random.Random) -> str:
    """A German account number with its check digits (ISO 13616: the whole is 1 modulo 97)."""
    account = f"50010517{source.randrange(10**10):010d}"
    check = 98 - int(f"{account}131400") % 97
    whole = f"DE{check:02d}{account}"
    return " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))
