"""Personal data and secrets: what `pii.scan` finds, in streams too."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from opsloop.guardrails.guards.registry import REACH, guard, settled_by, word_start
from opsloop.guardrails.pii.detectors.registry import known
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.scan import SECRET_KINDS, find

# What a finding of several words has in it: numbers, the marks before a number, addresses, the head of a key.
_MARKS = re.compile(r"[0-9@+(]|://")
_KEY_BEGINS = "-----BEGIN "
_KEY_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,40}-----")
KEY_LIMIT = 20_100
"""No private key is longer, with its head and its end."""


class PersonalData:
    name = "personal_data"

    @property
    def groups(self) -> Mapping[str, Collection[str]]:
        return {"pii": frozenset(known()) - SECRET_KINDS, "secrets": SECRET_KINDS & frozenset(known())}

    def kinds(self) -> Collection[str]:
        return frozenset(known())

    def find(self, text: str, kinds: Collection[str]) -> Sequence[Finding]:
        return find(text, kinds=kinds)

    def settled(self, text: str) -> int:
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


guard(PersonalData())
