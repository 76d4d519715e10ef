"""The nouns of guarding a text: which way it goes, what is done, what was found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

import msgspec

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
