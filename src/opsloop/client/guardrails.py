"""What screens find in texts."""

from __future__ import annotations

from collections.abc import Sequence

from opsloop.client.connection import Connection
from opsloop.guardrails.models import Scan, ScreenShown


class Guardrails:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def scan(self, text: str, *, screens: Sequence[str] | None = None) -> Scan:
        """What a text holds, by all screens that look by default or by those that are named."""
        body = {"text": text, "screens": None if screens is None else list(screens)}
        return self._connection.post("/api/guardrails/scan", Scan, body=body)

    def screens(self) -> list[ScreenShown]:
        return self._connection.items("/api/guardrails/screens", ScreenShown)
