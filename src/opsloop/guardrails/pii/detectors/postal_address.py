"""Postal addresses by their form: a number and a street, in the order of English or of German, with what follows.

An address has no check and countless forms: what is found is mostly right, and much is missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.holding import one_of
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

_NAME = r"[A-ZÀ-Þ][\w'.-]{0,24}"
_STREETS = (
    "Street", "Avenue", "Boulevard", "Drive", "Lane", "Road", "Court", "Crescent", "Terrace", "Parkway", "Highway",
    "Square", "Place", "Ave", "Blvd", "Rd", "Ln", "Pkwy", "Hwy", "St", "Dr", "Ct", "Pl",
)  # fmt: skip
_GERMAN_STREETS = ("straße", "strasse", "str.", "weg", "platz", "allee", "gasse", "ufer", "damm")
_UNIT = r"(?:,?\s(?:Apt|Apartment|Suite|Ste|Unit|Flat)\.? ?[A-Z0-9-]{1,6})?"
_TOWN = rf"(?:,?\s{{1,2}}{_NAME}(?: {_NAME}){{0,2}})"
_CODE = r"(?:(?:,?\s{1,2}[A-Z]{2})?,?\s{1,2}[0-9]{5}(?:-[0-9]{4})?|,?\s{1,2}[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2})\b"
_ENGLISH = re.compile(
    rf"[0-9](?<![\w.,/-].)[0-9]{{0,5}}[A-Za-z]?(?: {_NAME}){{1,4}} (?:{'|'.join(_STREETS)})\b\.?{_UNIT}"
    rf"(?:{_TOWN}?{_CODE})?",
    re.DOTALL,
)
_GERMAN = re.compile(
    r"[A-ZÄÖÜ](?<!\w.)[\wäöüß-]{1,30}?(?:straße|strasse|str\.|weg|platz|allee|gasse|ufer|damm) [0-9]{1,4}"
    r"(?: ?[a-z]\b)?"
    r"(?![\w.])(?:,?\s{1,2}(?:D-)?[0-9]{4,5} [A-ZÄÖÜ][\wäöüß-]{1,30})?",
    re.DOTALL,
)


@detector("postal_address", may_hold=one_of(*_STREETS, *_GERMAN_STREETS), needs_digits=True)
def postal_address(text: str, before: WordsBefore) -> Iterator[Finding]:
    last = 0
    found = [*_ENGLISH.finditer(text), *_GERMAN.finditer(text)]
    for written in sorted(found, key=lambda each: each.start()):
        if written.start() >= last:
            last = written.end()
            yield Finding("postal_address", written.start(), last, 0.7)
