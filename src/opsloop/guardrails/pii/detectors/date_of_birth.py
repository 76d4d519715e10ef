"""Dates of birth: a date that the words before it say somebody was born on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.holding import one_of
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import REACH, WordsBefore

_MONTHS = (
    r"(?:jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|märz|apr(?:il)?|may|mai|june?|juni|july?|juli|aug(?:ust)?|"
    r"sep(?:t(?:ember)?)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)"
)
_DATE = re.compile(
    r"(?:(?P<first>[0-9]{1,4})(?P<by>[-/.])(?P<second>[0-9]{1,2})(?P=by)(?P<third>[0-9]{2,4})"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th|\.)? {_MONTHS}\.?,? [0-9]{{4}}"
    rf"|{_MONTHS}\.? [0-9]{{1,2}}(?:st|nd|rd|th)?,? [0-9]{{4}})(?![\w/-])",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"(?:\bborn(?: \w{1,12}){0,2}|\bdob\b|d\.o\.b\.?|(?:date|day|place and date) of birth|birth[ _]?(?:day|date)"
    r"|\bgeboren|\bgeb\.|geburts(?:tag|datum)"
    r"|\bnée?|\bnacid[oa]|fecha de nacimiento|date de naissance|\bnato|\bnata|data di nascita|geboortedatum)"
    r"[\"']?\s*(?:on|the|am|le|el|il|is|was|ist|[:=,(-]|\s){0,4}[\"']?\s*\Z",
    re.IGNORECASE,
)
_WORDS = (
    "born", "dob", "d.o.b", "birth", "gebo", "geb.", "geburt", "née", "né ", "nacid", "nacim", "naiss", "nato", "nata",
    "nascita",
)  # fmt: skip
_BORN = re.compile("|".join(re.escape(word) for word in _WORDS), re.IGNORECASE)


@detector("date_of_birth", may_hold=one_of(*_WORDS, in_small_letters=True), needs_digits=True)
def date_of_birth(text: str, before: WordsBefore) -> Iterator[Finding]:
    last = 0
    for said in _BORN.finditer(text):
        for written in _DATE.finditer(text, max(last, said.start()), said.end() + REACH):
            if _is_date(written) and before.say(written.start(), _SAID):
                last = written.end()
                yield Finding("date_of_birth", written.start(), last, 0.85)
                break


def _is_date(written: re.Match[str]) -> bool:
    """Day and month in either order, the year first or last."""
    if written["first"] is None:
        return True
    parts = [int(written[name]) for name in ("first", "second", "third")]
    year_first = len(written["first"]) == 4
    if not year_first and len(written["first"]) > 2:
        return False
    one, other = (parts[1], parts[2]) if year_first else (parts[0], parts[1])
    return 1 <= one <= 31 and 1 <= other <= 31 and min(one, other) <= 12
