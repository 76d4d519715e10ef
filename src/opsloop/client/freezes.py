"""Freezes: times in which no rollout gives a candidate traffic."""

from __future__ import annotations

from datetime import datetime

from opsloop.client.connection import Connection
from opsloop.releases.models import Freeze


class Freezes:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def listed(self, *, active: bool = False) -> list[Freeze]:
        """The newest first; `active`: those that hold now."""
        return self._connection.items("/api/freezes", Freeze, active="true" if active else "false")

    def begin(self, endpoint: str | None = None, *, reason: str, until: datetime | None = None) -> Freeze:
        """Freeze an endpoint, or all of them, until an instant or until it is thawed."""
        body = {"endpoint": endpoint, "reason": reason, "until": until.isoformat() if until else None}
        return self._connection.post("/api/freezes", Freeze, body=body)

    def thaw(self, endpoint: str | None = None) -> Freeze:
        return self._connection.post("/api/freezes/thaw", Freeze, body={"endpoint": endpoint})
