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
    """Args: said: words that must stand before it, where the form alone is too common."""

    form: re.Pattern[str]
    is_right: Callable[[str], bool]
    said: re.Pattern[str] | None = None


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){pattern}(?![\w]|-[0-9])", re.IGNORECASE)


def _said(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _spanish(number: str) -> bool:
    digits = number[:-1].translate(str.maketrans("XYZ", "012"))
    return _DNI_LETTERS[int(digits) % 23] == number[-1]


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


_NUMBERS = (
    _Number(
        _form(r"[XYZ]?[0-9]{7,8}-?[TRWAGMYFPDXBNJZSQVHLCKE]"), lambda number: len(number) == 9 and _spanish(number)
    ),
    _Number(_form(r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]"), _italian),
    _Number(
        _form(r"[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]|[2-9][0-9]) ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}"),
        _french,
    ),
    _Number(_form(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}"), _brazilian),
    _Number(_form(r"[0-9]{11}"), _brazilian, _said(r"\bcpf\b")),
    # Only letters that are given out; the form itself has no check digit.
    _Number(
        _form(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]"),
        lambda number: True,
    ),
    _Number(_form(r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}"), _british_health, _said(r"\bnhs\b")),
    _Number(_form(r"[0-9]{9}"), _dutch, _said(r"\bbsn\b|burgerservice|sofi")),
    _Number(_form(r"[0-9]{11}"), _polish, _said(r"pesel")),
    _Number(_form(r"[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}"), _german_tax, _said(r"steuer|\bidnr\b|\btax\b|\btin\b")),
    _Number(_form(r"[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}"), verhoeff, _said(r"aadha+r|\buid\b")),
    _Number(_form(r"[1-9][0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{3}"), luhn, _said(r"\bsin\b|social insurance")),
)
_MAY_HOLD = re.compile(r"[0-9]{2}")


@detector("national_id", may_hold=lambda text: _MAY_HOLD.search(text) is not None)
def national_id(text: str, before: WordsBefore) -> Iterator[Finding]:
    for each in _NUMBERS:
        for written in each.form.finditer(text):
            number = re.sub(r"[ .-]", "", written[0]).upper()
            if each.is_right(number) and (each.said is None or before.say(written.start(), each.said)):
                yield Finding("national_id", written.start(), written.end(), 0.9 if each.said is None else 0.92)
