"""Personal data: what `guardrails.pii` finds, without the secrets, which are a screen of their own."""

from __future__ import annotations

from collections.abc import Iterator

from opsloop.guardrails.models import Finding
from opsloop.guardrails.pii.detectors.registry import known
from opsloop.guardrails.pii.scan import SECRET_KINDS, find
from opsloop.guardrails.screens.personal_data import PERSONAL_DATA
from opsloop.guardrails.screens.screen import Screen

KINDS = tuple(kind for kind in known() if kind not in SECRET_KINDS)


def search(text: str) -> Iterator[Finding]:
    for each in find(text, kinds=KINDS):
        yield Finding("pii", each.kind, each.start, each.end, each.confidence)


SCREEN = Screen("pii", KINDS, search, shared=PERSONAL_DATA)
