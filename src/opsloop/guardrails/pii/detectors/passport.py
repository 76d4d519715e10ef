"""Passport numbers and driving licences: they have no check digit, so the words before must name them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.holding import one_of
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

_NAMED = re.compile(
    r"(?P<which>passport|reisepass|passeport|pasaporte|driv(?:er'?s?|ing) ?licen[cs]e|führerschein"
    r"|permis de conduire)[\"']?"
    r"(?:[ _-]?(?:number|num|no\.?|nr\.?|nummer|#|id|numéro|número)){0,2}[\"']?"
    r"\s{0,2}(?:is|ist|was|[:=#]|\s){0,3}[\"']?(?P<number>[A-Z0-9](?<![\w].)[A-Z0-9]{5,17})(?![\w-])",
    re.IGNORECASE | re.DOTALL,
)
_WORDS = ("pass", "licen", "führers", "permis", "pasap")
LEAST_DIGITS = 4


@detector("passport", may_hold=one_of(*_WORDS, in_small_letters=True), needs_digits=True)
def passport(text: str, before: WordsBefore) -> Iterator[Finding]:
    for named in _NAMED.finditer(text):
        number = named["number"]
        is_passport = named["which"][:3].lower() in ("pas", "rei")
        if sum(char.isdigit() for char in number) >= LEAST_DIGITS and (not is_passport or len(number) <= 10):
            yield Finding("passport" if is_passport else "driving_licence", *named.span("number"), 0.85)
