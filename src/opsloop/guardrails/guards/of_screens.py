"""Every other screen as a guard: attacks, harm, what installed packages look for.

They judge sentences and passages, and more text may change what they say of it. So a stream in which they may keep
something back is held until its end.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from opsloop.guardrails.guards.registry import guard
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.screens.registry import known
from opsloop.guardrails.screens.screen import Screen

_IN_PERSONAL_DATA = ("pii", "secrets")


class OfScreen:
    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.name = screen.name

    @property
    def groups(self) -> Mapping[str, Collection[str]]:
        return {self.name: self._screen.kinds}

    def kinds(self) -> Collection[str]:
        return self._screen.kinds

    def find(self, text: str, kinds: Collection[str]) -> Sequence[Finding]:
        """Raises: what the screen raises."""
        found = [
            Finding(each.kind, each.start, each.end, each.score)
            for each in self._screen.search(text)
            if each.kind in kinds
        ]
        return sorted(found, key=lambda each: (each.start, -each.end))

    def settled(self, text: str) -> int:
        return 0


for _screen in known().screens.values():
    if _screen.name not in _IN_PERSONAL_DATA and _screen.trouble is None and _screen.kinds:
        guard(OfScreen(_screen))
