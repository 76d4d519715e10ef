"""URLs that carry a user and a password."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsloop.guardrails.pii.detectors.registry import detector
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}\Z")
_REST = re.compile(r"[^\s/:@?#\"'<>\x1e]{0,128}:[^\s/@?#\"'<>\x1e]{1,256}@[\w.\[\]:-]{1,255}")


@detector("url_credentials", may_hold=lambda text: "://" in text)
def url_credentials(text: str, before: WordsBefore) -> Iterator[Finding]:
    at = text.find("://")
    while at >= 0:
        scheme = _SCHEME.search(text[max(0, at - 21) : at])
        rest = _REST.match(text, at + 3) if scheme is not None else None
        if scheme is not None and rest is not None:
            yield Finding("url_credentials", at - len(scheme[0]), rest.end(), 0.97)
        at = text.find("://", at + 3)
