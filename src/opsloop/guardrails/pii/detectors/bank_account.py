"""Bank accounts that are no IBAN: routing numbers of US banks with their check digit, and account numbers by name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsloop.guardrails.pii.checksums import weighted
from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.holding import one_of
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

_NAMED = re.compile(
    r"(?P<which>routing|\baba|account|\bacct|sort[ _-]?code|kontonummer|konto)[\"']?"
    r"(?:[ _-]?(?:transit|number|num|no\.?|nr\.?|#)){0,2}[\"']?"
    r"\s{0,2}(?:is|ist|was|[:=#]|\s){0,3}[\"']?(?P<number>[0-9](?<![\w].)(?:[ -]?[0-9]){5,16})(?![\w]|[-./][0-9])",
    re.IGNORECASE | re.DOTALL,
)
_WORDS = ("routing", "aba", "acc", "sort", "konto")


def routing(digits: str) -> bool:
    """Source: American Bankers Association, routing number policy: weights 3, 7, 1; two digits name a district."""
    district = int(digits[:2])
    is_district = district <= 12 or 21 <= district <= 32 or 61 <= district <= 72 or district == 80
    return len(digits) == 9 and is_district and weighted(digits, (3, 7, 1) * 3) % 10 == 0 and digits != "000000000"


@detector("bank_account", may_hold=one_of(*_WORDS, in_small_letters=True), needs_digits=True)
def bank_account(text: str, before: WordsBefore) -> Iterator[Finding]:
    for named in _NAMED.finditer(text):
        digits = re.sub(r"[ -]", "", named["number"])
        which = named["which"].lower()
        if _is_account(which, digits):
            yield Finding("bank_account", *named.span("number"), 0.8)


def _is_account(which: str, digits: str) -> bool:
    if which in ("routing", "aba"):
        return routing(digits)
    return len(digits) == 6 if which.startswith("sort") else len(digits) >= 7
