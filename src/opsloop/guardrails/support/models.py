"""The nouns of the support queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

CaseId = NewType("CaseId", str)


class CaseState(StrEnum):
    """Where a case is: nobody has it; somebody has it; it was answered; it is over, answered or not."""

    OPEN = "open"
    CLAIMED = "claimed"
    ANSWERED = "answered"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a conversation; `role` is user or assistant."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a caller fetches the answer with. `token` is given out once; only its hash is kept."""

    id: CaseId
    token: str

    @property
    def told(self) -> dict[str, str]:
        """As an answer of the gateway has it."""
        return {"id": self.id, "token": self.token, "url": f"/support/{self.id}"}


@dataclass(frozen=True, slots=True)
class Case:
    """A conversation in the queue, without personal data unless the endpoint's policy keeps them.

    `kinds` are those for which a policy wants a person; none where the flow itself asked for one.
    """

    id: CaseId
    endpoint: str
    release: str
    request_id: str
    kinds: tuple[str, ...]
    state: CaseState
    conversation: tuple[Said, ...]
    claimed_by: str | None
    answer: str | None
    answered_by: str | None
    closed_by: str | None
    opened_at: datetime
    claimed_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None

    @property
    def why(self) -> str:
        return f"the guardrails found {', '.join(self.kinds)}" if self.kinds else "the flow asked for a person"


@dataclass(frozen=True, slots=True)
class Answered:
    """What a caller sees of its ticket."""

    ticket: CaseId
    state: CaseState
    answer: str | None
    answered_at: datetime | None
