"""Payment cards: 12 to 19 digits of a known issuer whose Luhn digit is right."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsloop.guardrails.pii.checksums import luhn
from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

_WRITTEN = re.compile(
    r"[0-9](?<![0-9].)(?:[0-9]{11,18}|[0-9]{3}(?P<by>[ -])[0-9]{4}(?P=by)[0-9]{4}(?P=by)[0-9]{4}(?:(?P=by)[0-9]{1,3})?"
    r"|(?<=3)[0-9]{3}(?P<apart>[ -])[0-9]{6}(?P=apart)[0-9]{4,5})(?![0-9])",
    re.DOTALL,
)
# First digits and lengths. Source: issuer identification numbers of ISO/IEC 7812 as the networks publish them.
_ISSUERS = re.compile(
    r"4[0-9]{12}(?:[0-9]{3}){0,2}|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}"
    r"|3[47][0-9]{13}|3(?:0[0-5]|[689][0-9])[0-9]{11,16}|35[0-9]{14}|(?:1800|2131)[0-9]{11}"
    r"|6(?:011|4[4-9]|5[0-9])[0-9]{12,16}|62[0-9]{14,17}|(?:50|5[6-9]|6[0-9])[0-9]{10,17}|220[0-4][0-9]{12,15}"
)
_SAID = re.compile(r"card|visa|amex|mastercard|maestro|credit|debit|\bcc\b|\bpan\b", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{4}")


@detector("payment_card", may_hold=lambda text: _DIGITS.search(text) is not None, needs_digits=True)
def payment_card(text: str, before: WordsBefore) -> Iterator[Finding]:
    at = 0
    while (written := _WRITTEN.search(text, at)) is not None:
        digits = written[0].replace(" ", "").replace("-", "")
        is_card = luhn(digits) and len(set(digits)) > 1
        at = written.end() if is_card else written.start() + 1
        if not is_card:
            continue
        if _ISSUERS.fullmatch(digits):
            yield Finding("payment_card", written.start(), written.end(), 0.95)
        elif before.say(written.start(), _SAID):
            yield Finding("payment_card", written.start(), written.end(), 0.8)
