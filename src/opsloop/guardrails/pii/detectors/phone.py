"""Phone numbers: as they are written internationally or nationally, or any six to fifteen digits said to be one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import BETWEEN_TEXTS, WordsBefore

_WRITTEN = re.compile(
    r"(?P<number>[+(0-9](?<![\w@.,+/-].)[0-9 ().\-/\xa0]{4,23}[0-9])"
    r"(?P<extension>[ ]?(?:x|ext\.?|extension)[ ]?[0-9]{1,6})?(?![\w@]|[-./][\w])",
    re.IGNORECASE | re.DOTALL,
)
_SAID = re.compile(
    r"\b(?:tele)?phone|\btel\b|\btelefon|\bmobil|\bfax|\bdesk\b|\bsms\b|whatsapp|hotline|\bhandy\b|voicemail"
    r"|_(?:phone|tel|mobile|fax)|\b(?:my|his|her|their|your|our) (?:new )?number\b|\b(?:home|office|work)\s*:"
    r"|\bcell(?:ular)?\s*(?:number|no\.?)?\s*:?\s*\Z|\b(?:contact|(?:call|ring|text|dial|reach)(?:ed|ing|s)?)"
    r"(?:\s+(?:me|us|him|her|them|you|back|now|today|at|on|under|the number))*\s*:?\s*\Z",
    re.IGNORECASE,
)
# Another number, of something else, ends what was said before it.
_OTHER_NUMBER = re.compile(r"[0-9]{3}")
_NUMBERS_TOO = re.compile(r" {0,2}(?:,|/|;|or|and|oder|und|ou|et) {0,2}\Z", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{1,4}([-/.])[0-9]{1,2}\1[0-9]{1,4}(?: .*)?|[0-9]{4}-[0-9]{2}-[0-9]{2}.*")
_NORTH_AMERICAN = re.compile(r"(?:1[ .-])?\(?[2-9][0-9]{2}\)?[ .-]?[2-9][0-9]{2}[ .-][0-9]{4}")
_GROUPS = re.compile(r"[0-9]+")
_DIGITS = re.compile(r"[0-9][0-9 ().\-/\xa0]{4}")
# The zones 1 to 9 of ITU-T E.164, with the codes in them that nobody has.
_UNASSIGNED = re.compile(r"21[079]|28[0-9]|80[1-79]|83|89|96[9]|97[8]|99[79]|38[48]|42[2-9]|69[3-9]")


@detector("phone", may_hold=lambda text: _DIGITS.search(text) is not None, needs_digits=True)
def phone(text: str, before: WordsBefore) -> Iterator[Finding]:
    last_end: int | None = None
    for written in _WRITTEN.finditer(text):
        number = written["number"]
        if number.count("(") != number.count(")") or ".." in number or _DATE.fullmatch(number):
            continue
        follows = last_end is not None and _NUMBERS_TOO.match(text, last_end, written.start()) is not None
        confidence = _confidence(written, text, before, is_said=follows)
        if confidence > 0:
            last_end = written.end()
            yield Finding("phone", written.start(), written.end(), confidence)


def _confidence(written: re.Match[str], text: str, before: WordsBefore, *, is_said: bool) -> float:
    number = written["number"]
    groups = _GROUPS.findall(number)
    digits = "".join(groups)
    if not 6 <= len(digits) <= 15 or len(set(digits)) == 1:
        return 0.0
    international = number.startswith("+") or (number.startswith("00") and len(groups) > 2)
    if international and len(digits) >= 8 and _has_country(digits):
        return 0.9
    if is_said or _is_said(before.at(written.start())):
        return 0.85
    if _NORTH_AMERICAN.fullmatch(number):
        return 0.8
    is_grouped = len(groups) >= 3 and all(len(group) > 1 for group in groups)
    if digits.startswith("0") and is_grouped and 9 <= len(digits) <= 12:
        return 0.65
    if number.startswith("(") and 8 <= len(digits) <= 12:
        return 0.6
    stands_alone = _is_edge(text, written.start() - 1) and _is_edge(text, written.end())
    return 0.5 if stands_alone and is_grouped and 8 <= len(digits) <= 12 else 0.0


def _is_said(words: str) -> bool:
    ends = [found.end() for found in _SAID.finditer(words)]
    return bool(ends) and _OTHER_NUMBER.search(words, ends[-1]) is None


def _has_country(digits: str) -> bool:
    code = digits.lstrip("0")
    return code != "" and _UNASSIGNED.match(code) is None


def _is_edge(text: str, at: int) -> bool:
    return not 0 <= at < len(text) or text[at] in ("\n", BETWEEN_TEXTS)
