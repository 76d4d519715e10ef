"""The nouns of guardrails: what a screen finds in a text, which way the text goes, what is done about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

import msgspec


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


Direction = Literal["request", "answer"]


class Action(StrEnum):
    """What happens with a text in which a kind is found, from the mildest on.

    `allow`: nothing; `flag`: it is counted and recorded; `redact`: the place is replaced by its kind, `[EMAIL]`;
    `block`: the request is refused, or the answer withheld; `escalate`: a person answers instead.
    """

    ALLOW = "allow"
    FLAG = "flag"
    REDACT = "redact"
    BLOCK = "block"
    ESCALATE = "escalate"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    @property
    def keeps_back(self) -> bool:
        """Whether the text may not go on as it is."""
        return self.rank >= _RANKS[Action.REDACT]


_RANKS = {action: rank for rank, action in enumerate(Action)}


class Hit(msgspec.Struct, frozen=True, gc=False):
    """That a kind was found in a request or an answer, how often, and what was done. Never what was found."""

    kind: str
    direction: Direction
    action: Action
    count: int = 1


@dataclass(frozen=True, slots=True)
class Guardrails:
    """The policy of an endpoint. `version` counts its changes; 0: nobody ever set one, and nothing is looked for."""

    endpoint: str
    version: int
    policy: dict[str, Any]
    digest: str
    changed_at: datetime | None
    changed_by: str | None


@dataclass(frozen=True, slots=True)
class Checked:
    """`outcome` is the strictest action that is due; `text` is what would go on, none where nothing would."""

    outcome: Action
    text: str | None
    hits: tuple[Hit, ...]


def mark(kind: str) -> str:
    """What stands in the place of something redacted."""
    return f"[{kind.upper()}]"
