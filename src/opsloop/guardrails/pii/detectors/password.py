"""Passwords and tokens that are said to be some: `password: …`, `api_key=…`, `Authorization: Bearer …`, `Pwd=…;`.

They have no form of their own; what stands there counts when it looks made up: of several sorts of characters, or as
random as a key is.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.holding import one_of
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

_VALUE = r"[\"'`]?(?P<value>[^\s\"'`<>{}\x1e,;]{6,200})"
_PASSWORD = re.compile(
    r"(?:pass(?:word|wd|phrase|code)?|pwd|kennwort|passwort|contraseña|mot de passe)[\"']?"
    rf"(?:\s{{0,3}}[:=]{{1,2}}>?\s{{0,3}}|\s(?:is|ist|est|es)\s){_VALUE}",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"(?:(?:api|access|auth|account|client|private|secret|subscription)[_ -]?(?:key|token|secret)"
    r"|token|secret|x-api-key)[\"']?"
    rf"\s{{0,3}}[:=]{{1,2}}>?\s{{0,3}}(?:bearer\s)?{_VALUE}",
    re.IGNORECASE,
)
_HEADER = re.compile(rf"authorization[\"']?\s{{0,3}}[:=]\s{{0,3}}[\"']?(?:bearer|basic|token)\s{_VALUE}", re.IGNORECASE)
_WORDS = ("pass", "pwd", "kennwort", "contrase", "key", "token", "secret", "authorization")
_STAND_INS = re.compile(
    r"\$|%[A-Z(]|x{4}|\*{3}|\.{3}|…|^(?:your|my|the|an?|some|none|null|true|false|example|changeme|change_me|placeholder|"
    r"redacted|required|optional|string|env|os|self|settings|config|process|getenv|input)(?![a-z0-9]*[0-9])",
    re.IGNORECASE,
)
# In bits a character. English words have less than 3 at these lengths, keys more than 3.5.
LEAST_ENTROPY, TOKEN_LENGTH = 3.2, 16


@detector("password", may_hold=one_of(*_WORDS, in_small_letters=True))
def password(text: str, before: WordsBefore) -> Iterator[Finding]:
    last = 0
    found = [(each, _looks_made_up(each["value"])) for each in _PASSWORD.finditer(text)]
    found += [(each, is_random(each["value"])) for pattern in (_TOKEN, _HEADER) for each in pattern.finditer(text)]
    for each, counts in sorted(found, key=lambda pair: pair[0].start("value")):
        value = each["value"].rstrip(".)]:")
        if counts and each.start("value") >= last and not _STAND_INS.search(value):
            last = each.start("value") + len(value)
            yield Finding("password", each.start("value"), last, 0.75)


def _looks_made_up(value: str) -> bool:
    """Letters together with digits or marks; a word or a date is no password."""
    letters = any(char.isalpha() for char in value)
    digits = any(char.isdigit() for char in value)
    marks = any(not char.isalnum() for char in value.rstrip(".)]:"))
    return letters and (digits or (marks and not value.replace("-", "").replace("'", "").isalpha()))


def is_random(value: str) -> bool:
    """Whether it is as random as a key. Source: Shannon entropy of its characters."""
    if len(value) < TOKEN_LENGTH or not any(char.isdigit() for char in value):
        return False
    shares = [count / len(value) for count in Counter(value).values()]
    return -sum(share * math.log2(share) for share in shares) >= LEAST_ENTROPY
