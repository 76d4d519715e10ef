"""US social security numbers: areas, groups and serials that are given out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

# Source: Social Security Administration, SSN randomization (2011): no area 000, 666 or 900-999, no group 00, no serial
# 0000.
_NUMBER = re.compile(
    r"[0-8](?<![\w-].)[0-9]{2}(?<!000)(?<!666)(?P<by>[- ]?)(?!00)[0-9]{2}(?P=by)(?!0000)[0-9]{4}(?![\w]|-[0-9])",
    re.DOTALL,
)
_SAID = re.compile(r"\bssn\b|social.?security|_ssn|ssn_", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{3}")
# Printed on cards in advertisements; they were never anybody's own.
_SAMPLES = ("078051120", "219099999")


@detector("us_ssn", may_hold=lambda text: _DIGITS.search(text) is not None, needs_digits=True)
def us_ssn(text: str, before: WordsBefore) -> Iterator[Finding]:
    for number in _NUMBER.finditer(text):
        if number[0].replace("-", "").replace(" ", "") in _SAMPLES:
            continue
        is_said = before.say(number.start(), _SAID)
        if number["by"] == "-" or is_said:
            yield Finding("us_ssn", number.start(), number.end(), 0.95 if is_said else 0.85)
