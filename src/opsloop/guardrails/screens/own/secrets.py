"""Keys, tokens, private keys and passwords."""

from __future__ import annotations

from collections.abc import Iterator

from opsloop.guardrails.models import Finding
from opsloop.guardrails.pii.scan import SECRET_KINDS, find
from opsloop.guardrails.screens.personal_data import PERSONAL_DATA
from opsloop.guardrails.screens.screen import Screen


def search(text: str) -> Iterator[Finding]:
    for each in find(text, kinds=SECRET_KINDS):
        yield Finding("secrets", each.kind, each.start, each.end, each.confidence)


SCREEN = Screen("secrets", tuple(sorted(SECRET_KINDS)), search, shared=PERSONAL_DATA)
