"""The guardrails of endpoints, and what screens find in texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.guardrails.models import Checked, Direction, Guardrails, Scan, ScreenShown
from opsloop.monitoring.models import HitReport

DAY_S = 86_400


class Guarding:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, endpoint: str) -> Guardrails:
        return self._connection.get(path("api", "endpoints", endpoint, "guardrails"), Guardrails)

    def put(self, endpoint: str, policy: Mapping[str, Any], *, version: int | None = None) -> Guardrails:
        """Replace the policy of an endpoint. Args: version: that is to be replaced; any other is a conflict."""
        at = path("api", "endpoints", endpoint, "guardrails")
        return self._connection.put(at, Guardrails, body=dict(policy), version=version)

    def check(self, endpoint: str, text: str, *, direction: Direction = "answer") -> Checked:
        """What the policy would do with a text."""
        at = path("api", "endpoints", endpoint, "guardrails", "check")
        return self._connection.post(at, Checked, body={"text": text, "direction": direction})

    def hits(self, endpoint: str, *, window_s: int = DAY_S) -> HitReport:
        return self._connection.get(
            path("api", "endpoints", endpoint, "guardrails", "hits"), HitReport, window=window_s
        )

    def scan(self, text: str, *, screens: Sequence[str] | None = None) -> Scan:
        """What a text holds, by all screens that look by default or by those that are named."""
        body = {"text": text, "screens": None if screens is None else list(screens)}
        return self._connection.post("/api/guardrails/scan", Scan, body=body)

    def screens(self) -> list[ScreenShown]:
        return self._connection.items("/api/guardrails/screens", ScreenShown)
