"""National identity and tax numbers whose check digits are right; plain digits count only when the text says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from opsloop.guardrails.pii.checksums import luhn, verhoeff, weighted
from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
         10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Number:
    """Args: words: of which one must stand before it, where the form alone is too common."""

    form: re.Pattern[str]
    is_right: Callable[[str], bool]
    words: tuple[str, ...] = ()


def _form(first: str, rest: str) -> re.Pattern[str]:
    return re.compile(rf"{first}(?<![\w-].){rest}(?![\w]|-[0-9])", re.DOTALL)


def _spanish(number: str) -> bool:
    digits = number[:-1].translate(str.maketrans("XYZ", "012"))
    return number[1:-1].isdigit() and _DNI_LETTERS[int(digits) % 23] == number[-1]


def _italian(number: str) -> bool:
    total = sum(_ODD[char] if place % 2 == 0 else int(char, 36) % 10 if char.isdigit() else ord(char) - 65
                for place, char in enumerate(number[:15]))  # fmt: skip
    return chr(65 + total % 26) == number[15]


def _french(number: str) -> bool:
    body = number[:13].replace("2A", "19").replace("2B", "18")
    return body.isdigit() and 97 - int(body) % 97 == int(number[13:])


def _brazilian(number: str) -> bool:
    if len(set(number)) == 1:
        return False
    checks = [weighted(number, range(start, 1, -1)) * 10 % 11 % 10 for start in (10, 11)]
    return number[9:] == f"{checks[0]}{checks[1]}"


def _british_health(number: str) -> bool:
    return 11 - weighted(number, range(10, 1, -1)) % 11 in (int(number[9]), int(number[9]) + 11)


def _dutch(number: str) -> bool:
    return (weighted(number, range(9, 1, -1)) - int(number[8])) % 11 == 0 and number != "000000000"


def _polish(number: str) -> bool:
    return weighted(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def _german_tax(number: str) -> bool:
    """Source: ISO 7064, MOD 11,10."""
    product = 10
    for digit in number[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(number[10]) and number[0] != "0"


def _swiss(number: str) -> bool:
    """Source: EAN-13."""
    return weighted(number, (1, 3) * 6 + (1,)) % 10 == 0


def _finnish(number: str) -> bool:
    digits = number[:6] + number[-4:-1]
    return digits.isdigit() and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31] == number[-1]


def _norwegian(number: str) -> bool:
    first = weighted(number, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    return first == 0 and weighted(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _belgian(number: str) -> bool:
    """Those born from 2000 on have a 2 put before."""
    body, check = number[:9], int(number[9:])
    return check in (97 - int(body) % 97, 97 - int(f"2{body}") % 97)


def _swedish(number: str) -> bool:
    return luhn(number[-10:]) and 1 <= int(number[-8:-6]) <= 12


def _australian_tax(number: str) -> bool:
    return weighted(number, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def _singaporean(number: str) -> bool:
    total = weighted(number[1:8], (2, 7, 6, 5, 4, 3, 2)) + (4 if number[0] in "TG" else 0)
    letters = "JZIHGFEDCBA" if number[0] in "ST" else "XWUTRQPNMLK"
    return letters[total % 11] == number[8]


_NUMBERS = (
    # Spain
    _Number(_form("[0-9]", r"[0-9]{7}-?[A-Za-z]"), _spanish),
    _Number(_form("[XYZxyz]", r"-?[0-9]{7}-?[A-Za-z]"), _spanish),
    # Italy
    _Number(
        _form(
            "[A-Za-z]",
            r"[A-Za-z]{5}[0-9L-NP-Vl-np-v]{2}[A-Za-z][0-9L-NP-Vl-np-v]{2}[A-Za-z][0-9L-NP-Vl-np-v]{3}[A-Za-z]",
        ),
        _italian,
    ),
    # France
    _Number(
        _form("[12]", " ?[0-9]{2} ?(?:0[1-9]|1[0-2]|[2-9][0-9]) ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}"),
        _french,
    ),
    # Brazil
    _Number(_form("[0-9]", r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}"), _brazilian),
    _Number(_form("[0-9]", "[0-9]{10}"), _brazilian, ("cpf",)),
    # United Kingdom: national insurance, whose letters are limited and which has no check digit; health service
    _Number(
        _form("[A-CEGHJ-PR-TW-Z]", "[A-CEGHJ-NPR-TW-Z](?<!BG|GB|KN|NK|NT|TN|ZZ) [0-9]{2} [0-9]{2} [0-9]{2} [A-D]"),
        lambda number: True,
    ),
    _Number(
        _form("[A-CEGHJ-PR-TW-Z]", "[A-CEGHJ-NPR-TW-Z](?<!BG|GB|KN|NK|NT|TN|ZZ)[0-9]{6}[A-D]"),
        lambda number: True,
        ("nino", "national insurance"),
    ),
    _Number(_form("[0-9]", "[0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{4}"), _british_health, ("nhs",)),
    # Netherlands, Poland, Germany
    _Number(_form("[0-9]", "[0-9]{8}"), _dutch, ("bsn", "burgerservice", "sofi")),
    _Number(_form("[0-9]", "[0-9]{10}"), _polish, ("pesel",)),
    _Number(_form("[1-9]", "[0-9] ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}"), _german_tax, ("steuer", "idnr", "tax", "tin")),
    # Switzerland, Finland, Norway, Sweden, Belgium
    _Number(_form("7", r"56\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}"), _swiss),
    _Number(_form("[0-3]", "[0-9][01][0-9]{3}[-+A-F][0-9]{3}[0-9A-FHJ-NPR-Y]"), _finnish),
    _Number(
        _form("[0-3]", "[0-9][0-1][0-9]{3} ?[0-9]{5}"), _norwegian, ("fødselsnummer", "fodselsnummer", "personnummer")
    ),
    _Number(_form("[0-9]", "[0-9]{5}(?:[0-9]{2})?-?[0-9]{4}"), _swedish, ("personnummer", "personnr")),
    _Number(_form("[0-9]", r"[0-9]\.[0-1][0-9]\.[0-3][0-9]-[0-9]{3}\.[0-9]{2}"), _belgian),
    # Australia, Singapore
    _Number(_form("[0-9]", "[0-9]{2} ?[0-9]{3} ?[0-9]{3}"), _australian_tax, ("tfn", "tax file")),
    _Number(_form("[STFG]", "[0-9]{7}[A-Z]"), _singaporean, ("nric", "fin", "singapore")),
    # India, Canada
    _Number(_form("[2-9]", "[0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}"), verhoeff, ("aadhar", "aadhaar", "uid")),
    _Number(_form("[1-9]", "[0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{3}"), luhn, ("sin", "social insurance")),
)
# Six digits, with at most one other character between two.
_MAY_HOLD = re.compile(r"[0-9](?:[^0-9\n]?[0-9]){5}")


@detector("national_id", may_hold=lambda text: _MAY_HOLD.search(text) is not None, needs_digits=True)
def national_id(text: str, before: WordsBefore) -> Iterator[Finding]:
    said = f"{before.heading} {text}".lower()
    for each in _NUMBERS:
        if each.words and not any(word in said for word in each.words):
            continue
        for written in each.form.finditer(text):
            number = re.sub(r"[ .-]", "", written[0]).upper()
            if each.is_right(number) and _is_said(before.at(written.start()), each.words):
                yield Finding("national_id", written.start(), written.end(), 0.92 if each.words else 0.9)


def _is_said(before: str, words: tuple[str, ...]) -> bool:
    """Short words have to stand alone: `tin` is in `testing` too. `tax_id` and `steuernummer` say it as well."""
    if not words:
        return True
    lower = before.lower()
    alone = re.findall(r"[a-z]+", lower)
    return any(word in lower if len(word) > 4 else word in alone for word in words)
