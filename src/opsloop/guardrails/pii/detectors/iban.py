"""IBANs: country, length and check digits right."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsloop.guardrails.pii import checksums
from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

# Characters by country. Source: SWIFT, IBAN Registry, release 99.
_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
_DIGITS = re.compile(r"[0-9](?<=[A-Za-z]{2}.)(?<![A-Za-z0-9][A-Za-z]{2}.)[0-9]", re.DOTALL)


@detector("iban", may_hold=lambda text: _DIGITS.search(text) is not None, needs_digits=True)
def iban(text: str, before: WordsBefore) -> Iterator[Finding]:
    for digits in _DIGITS.finditer(text):
        start = digits.start() - 2
        length = _LENGTHS.get(text[start : start + 2].upper())
        end = _end(text, start, length) if length is not None else None
        if end is not None and checksums.iban(text[start:end].replace(" ", "").replace("-", "")):
            yield Finding("iban", start, end, 0.98)


def _end(text: str, start: int, length: int) -> int | None:
    """Where `length` letters and digits end that at most one space or hyphen stands between; None when they do not."""
    at, counted, was_apart = start, 0, False
    while counted < length:
        char = text[at : at + 1]
        if char.isascii() and char.isalnum():
            counted, was_apart = counted + 1, False
        elif char in (" ", "-") and not was_apart:
            was_apart = True
        else:
            return None
        at += 1
    after = text[at : at + 1]
    return None if after.isascii() and after.isalnum() else at
