"""Anomalies in metrics."""

from __future__ import annotations

from opsloop.client.connection import Connection
from opsloop.incidents.anomalies.models import Anomaly


class Anomalies:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, subject: str | None = None, limit: int = 100) -> list[Anomaly]:
        """The newest first. Args: subject: only of this one, e.g. `endpoint/chat`."""
        return self._connection.items("/api/anomalies", Anomaly, subject=subject, limit=limit)
