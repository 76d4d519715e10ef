"""The form of a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from opsloop.guardrails.models import Finding

# Time should be linear in the text, whatever it holds; an exception is a failure of the screen, not of the request.
Search = Callable[[str], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Screen:
    """What looks for findings of some kinds.

    Args:
        kinds: what it can find, sorted; empty when it does not say.
        by_default: whether it looks when no screens are named.
        needs: what must be installed beside Opsloop, as a requirement: `opsloop[presidio]`; empty for nothing.
        is_there: whether that is installed; asked at each scan.
    """

    name: str
    kinds: tuple[str, ...]
    search: Search
    by_default: bool = True
    needs: str = ""
    is_there: Callable[[], bool] = lambda: True

    @property
    def trouble(self) -> str | None:
        """Why it cannot be used; None when it can."""
        return None if self.is_there() else f"it needs {self.needs}, which is not installed"
