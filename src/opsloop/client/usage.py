"""What was used: requests, calls to models, tokens, money."""

from __future__ import annotations

from typing import Any

from opsloop.client.connection import Connection
from opsloop.monitoring.usage.models import By, UsageReport


class Usage:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def report(
        self,
        by: By = "day",
        *,
        since: str | None = None,
        until: str | None = None,
        key: str | None = None,
        endpoint: str | None = None,
        model: str | None = None,
    ) -> UsageReport:
        """Args: since, until: the first and the last day, such as 2026-07-01; by default the last 30 days."""
        wishes = {"from": since, "to": until, "key": key, "endpoint": endpoint, "model": model}
        query: dict[str, Any] = {name: value for name, value in wishes.items() if value is not None}
        return self._connection.get("/api/usage", UsageReport, by=by, **query)
