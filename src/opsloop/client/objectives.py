"""Objectives of endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.monitoring.objectives.models import Objective, Standing


@dataclass(frozen=True, slots=True)
class StandingsOfEndpoint:
    """How each objective stands; `declared` is None where the defaults hold."""

    declared: dict[str, Any] | None
    items: tuple[Standing, ...]


class Objectives:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def standings(self) -> list[Standing]:
        """Of every endpoint."""
        return self._connection.items("/api/objectives", Standing)

    def of(self, endpoint: str) -> StandingsOfEndpoint:
        return self._connection.get(path("api", "endpoints", endpoint, "objectives"), StandingsOfEndpoint)

    def declare(self, endpoint: str, objectives: Mapping[str, Any]) -> list[Objective]:
        at = path("api", "endpoints", endpoint, "objectives")
        return self._connection.put(at, dict[str, list[Objective]], body=dict(objectives))["objectives"]

    def withdraw(self, endpoint: str) -> None:
        """Go back to the defaults."""
        self._connection.delete(path("api", "endpoints", endpoint, "objectives"))

    def rules(self) -> str:
        """Rules for Prometheus, in YAML."""
        return self._connection.raw("/api/objectives/rules").decode()
