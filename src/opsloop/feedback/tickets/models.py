"""The nouns of tickets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

TicketId = NewType("TicketId", str)


@dataclass(frozen=True, slots=True)
class TicketGiven:
    """A ticket as a help desk has it.

    Args:
        id: in the help desk; the same one that comes again takes the place of what was there.
        request_id: of the answer that it is about, where that is known.
        endpoint: that it is about, where no request is named.
        link: to it in the help desk.
        opened_at: when it was opened; default: when it is taken in.
    """

    id: str
    subject: str = ""
    body: str = ""
    category: str | None = None
    status: str | None = None
    priority: str | None = None
    tags: list[str] = field(default_factory=list)
    request_id: str | None = None
    endpoint: str | None = None
    link: str | None = None
    opened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it is kept: `system` and `outer_id` say which one it is there; words are without personal data."""

    id: TicketId
    seq: int
    system: str
    outer_id: str
    request_id: str | None
    endpoint: str | None
    subject: str
    body: str
    category: str | None
    status: str | None
    priority: str | None
    tags: tuple[str, ...]
    link: str | None
    opened_at: datetime
    imported_at: datetime
    imported_by: str

    @property
    def text(self) -> str:
        return f"{self.subject}\n{self.body}".strip()


@dataclass(frozen=True, slots=True)
class TicketsTaken:
    """What became of tickets that were sent together."""

    system: str
    created: int
    updated: int
    unchanged: int

    def __str__(self) -> str:
        return f"{self.created} new, {self.updated} changed, {self.unchanged} as they were"
