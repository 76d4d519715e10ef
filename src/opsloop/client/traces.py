"""Traces of requests, and of services that send theirs."""

from __future__ import annotations

from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.monitoring.telemetry.models import Trace, TraceLine


class Traces:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, **filters: Any) -> list[TraceLine]:
        """The newest first. Args: filters: as `GET /api/traces` has them; `from` and `to` as `since` and `until`."""
        renamed = {{"since": "from", "until": "to"}.get(name, name): value for name, value in filters.items()}
        return self._connection.items("/api/traces", TraceLine, **renamed)

    def get(self, id: str, *, after: int = 0, limit: int = 1_000) -> Trace:
        """Raises: NotFound."""
        return self._connection.get(path("api", "traces", id), Trace, after=after, limit=limit)
