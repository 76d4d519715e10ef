"""The form of a screen."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from opsloop.guardrails.models import Finding
from opsloop.guardrails.pii import models as pii
from opsloop.guardrails.screens.finder import Finder, Settled, never_settled

# Time should be linear in the text, whatever it holds; an exception is a failure of the screen, not of the request.
Search = Callable[[str], Iterable[Finding]]
_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Screen:
    """What looks for findings of some kinds. Its name stands for all of them in a policy.

    Args:
        kinds: what it can find, sorted; empty when it does not say, and then no policy can name it.
        by_default: whether it looks when no screens are named.
        needs: what must be installed beside Opsloop, as a requirement: `opsloop[presidio]`; empty for nothing.
        is_there: whether that is installed; asked at each scan.
        settled: how far a stream that this screen may keep something back of can go out.
        shared: what finds its kinds together with those of another screen; None: it does it by itself.
    """

    name: str
    kinds: tuple[str, ...]
    search: Search
    by_default: bool = True
    needs: str = ""
    is_there: Callable[[], bool] = lambda: True
    settled: Settled = never_settled
    shared: Finder | None = None

    @property
    def trouble(self) -> str | None:
        """Why it cannot be used; None when it can."""
        return None if self.is_there() else f"it needs {self.needs}, which is not installed"

    @property
    def finder(self) -> Finder:
        return self.shared or Finder(self.name, self._find, self.settled)

    def findings(self, text: str) -> Iterator[Finding]:
        """What it finds, with its name. Raises: what it raises; TypeError, ValueError for what is not of the form."""
        for each in self.search(text):
            if not isinstance(each, Finding):
                raise TypeError("not a Finding")
            if not (0 <= each.start < each.end <= len(text) and math.isfinite(each.score) and 0 <= each.score <= 1):
                raise ValueError("place or score out of bounds")
            if _KIND.fullmatch(each.kind) is None:
                raise ValueError("kind is not of the form")
            yield Finding(self.name, each.kind, each.start, each.end, each.score)

    def _find(self, text: str, kinds: Collection[str]) -> list[pii.Finding]:
        found = [
            pii.Finding(each.kind, each.start, each.end, each.score)
            for each in self.findings(text)
            if each.kind in kinds
        ]
        return sorted(found, key=lambda each: (each.start, -each.end))
