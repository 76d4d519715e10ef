"""Passport numbers, where the text names them."""

from __future__ import annotations

from collections.abc import Iterator

from opsloop.guardrails.pii import named_numbers
from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.holding import one_of
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

_NAMED = named_numbers.pattern(r"passport|reisepass|passeport|pasaporte", length=10)


@detector("passport", may_hold=one_of("pass", "pasap", in_small_letters=True), needs_digits=True)
def passport(text: str, before: WordsBefore) -> Iterator[Finding]:
    for start, end in named_numbers.numbers(_NAMED, text):
        yield Finding("passport", start, end, 0.85)
