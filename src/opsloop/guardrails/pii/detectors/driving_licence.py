"""Numbers of driving licences, where the text names them."""

from __future__ import annotations

from collections.abc import Iterator

from opsloop.guardrails.pii import named_numbers
from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.holding import one_of
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

_NAMED = named_numbers.pattern(r"driv(?:er'?s?|ing) ?licen[cs]e|führerschein|permis de conduire", length=18)


@detector("driving_licence", may_hold=one_of("licen", "führers", "permis", in_small_letters=True), needs_digits=True)
def driving_licence(text: str, before: WordsBefore) -> Iterator[Finding]:
    for start, end in named_numbers.numbers(_NAMED, text):
        yield Finding("driving_licence", start, end, 0.85)
