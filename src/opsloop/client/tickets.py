"""Support tickets: send files of them, list what is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opsloop.client import ticket_files
from opsloop.client.connection import Connection, path
from opsloop.feedback.tickets.models import Ticket, TicketsTaken

AT_ONCE = 500


class Tickets:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, system: str, items: list[dict[str, Any]]) -> TicketsTaken:
        """Tickets of a help desk, at most 1,000; sending them twice changes nothing."""
        return self._connection.post("/api/tickets", TicketsTaken, body={"system": system, "items": items})

    def import_file(self, system: str, file: Path, *, columns: Mapping[str, str] | None = None) -> TicketsTaken:
        """All tickets of a CSV, JSON or JSONL file, some hundred at a time. Raises: InvalidInput naming the row."""
        items = ticket_files.read(file, columns=columns or {})
        taken = [self.take(system, items[at : at + AT_ONCE]) for at in range(0, len(items), AT_ONCE)]
        return TicketsTaken(
            system,
            sum(each.created for each in taken),
            sum(each.updated for each in taken),
            sum(each.unchanged for each in taken),
        )

    def erase(self, system: str, outer_id: str) -> None:
        """Let go of a ticket, by the id that it has in its help desk."""
        self._connection.delete(path("api", "tickets", system, outer_id))

    def listed(
        self,
        *,
        system: str | None = None,
        request_id: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Ticket]:
        """The ones taken in last first."""
        query: dict[str, Any] = {"system": system, "request_id": request_id, "before": before, "limit": limit}
        return self._connection.items("/api/tickets", Ticket, **query)
