"""The nouns of guardrails: what a screen found in a text, and what could not be looked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something at `text[start:end]` that a policy may care about; it does not hold the text.

    Args:
        screen: what found it: `pii`, `secrets`, `injection`, `content`, or the name of an installed one.
        kind: such as `email`, `hate`, `instruction_override`.
        start, end: in characters of the text, 0 <= start < end.
        score: from 0 to 1, how sure it is.
    """

    screen: str
    kind: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class ScreenFailure:
    """A screen that could not be loaded or did not finish; `reason` never quotes the text."""

    screen: str
    reason: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What a text holds, in the order of the text. Findings of different screens may overlap.

    With `failures` it may hold more than was found: it is for a policy to say whether such a text passes.
    """

    findings: tuple[Finding, ...]
    failures: tuple[ScreenFailure, ...] = ()

    @property
    def is_complete(self) -> bool:
        return not self.failures


@dataclass(frozen=True, slots=True)
class ScreenShown:
    """A screen as it is listed.

    Args:
        kinds: what it can find; empty when an installed one does not say.
        needs: what it needs beside Opsloop; empty for nothing.
        trouble: why it cannot be used; None when it can.
    """

    name: str
    kinds: tuple[str, ...]
    by_default: bool
    needs: str
    trouble: str | None
