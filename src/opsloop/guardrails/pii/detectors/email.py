"""E-mail addresses: what stands on both sides of an @."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

LOCAL_LIMIT = 64  # RFC 5321, 4.5.3.1.1
_MARKS = ".!#$%&'*+/=?^`{|}~-"
# Read backwards from the @.
_LOCAL = re.compile(rf"[\w{re.escape(_MARKS)}]{{1,{LOCAL_LIMIT}}}")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59})(?![\w-])")


@detector("email", may_hold=lambda text: "@" in text)
def email(text: str, before: WordsBefore) -> Iterator[Finding]:
    at, last = text.find("@"), 0
    while at >= 0:
        local = _local(text[max(last, at - LOCAL_LIMIT) : at])
        domain = _DOMAIN.match(text, at + 1) if local else None
        if domain is not None:
            yield Finding("email", at - len(local), domain.end(), 0.95)
        last = at + 1
        at = text.find("@", last)


def _local(before: str) -> str:
    """The local part that ends a text; quotes and other marks around an address are no part of it."""
    found = _LOCAL.match(before[::-1])
    local = found[0][::-1].lstrip(_MARKS) if found is not None else ""
    return "" if local.endswith(".") else local
