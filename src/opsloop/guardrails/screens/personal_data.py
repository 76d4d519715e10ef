"""Personal data and secrets: two screens, and one search that tells them apart where they overlap; in streams too."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from opsloop.guardrails.pii import scan
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.screens.finder import REACH, Finder, settled_by, word_start

# What a finding of several words has in it: numbers, the marks before a number, addresses, the head of a key.
_MARKS = re.compile(r"[0-9@+(]|://")
_KEY_BEGINS = "-----BEGIN "
_KEY_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,40}-----")
KEY_LIMIT = 20_100
"""No private key is longer, with its head and its end."""


def find(text: str, kinds: Collection[str]) -> Sequence[Finding]:
    return scan.find(text, kinds=kinds)


def settled(text: str) -> int:
    """Prose without numbers is settled up to its last two words; near a number, a whole reach is held.

    A word is held however long it is, for a token or an address may end in it; a private key until its end.
    """
    at = word_start(text, len(text))
    at = word_start(text, len(text[:at].rstrip()))
    if _MARKS.search(text, max(0, len(text) - REACH)) is not None:
        at = min(at, settled_by(text))
    begun = text.rfind(_KEY_BEGINS, max(0, len(text) - KEY_LIMIT))
    if begun >= 0 and _KEY_ENDS.search(text, begun) is None:
        at = min(at, begun)
    return at


PERSONAL_DATA = Finder("personal_data", find, settled)
