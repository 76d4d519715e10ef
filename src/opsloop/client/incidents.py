"""Incidents."""

from __future__ import annotations

from typing import Any, Literal

from opsloop.client.connection import Connection, path
from opsloop.incidents.learning.models import Detector, Standing
from opsloop.incidents.models import Incident
from opsloop.incidents.topology.models import SeenCall


class Incidents:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def listed(
        self, *, state: str | None = None, endpoint: str | None = None, going_on: bool = False, limit: int = 100
    ) -> list[Incident]:
        """The newest first, without signals and timelines."""
        query: dict[str, Any] = {"state": state, "endpoint": endpoint, "going_on": going_on, "limit": limit}
        return self._connection.items("/api/incidents", Incident, **query)

    def get(self, incident: str) -> Incident:
        return self._connection.get(path("api", "incidents", incident), Incident)

    def acknowledge(self, incident: str) -> Incident:
        return self._connection.post(path("api", "incidents", incident, "acknowledge"), Incident)

    def note(self, incident: str, text: str) -> Incident:
        return self._connection.post(path("api", "incidents", incident, "notes"), Incident, body={"text": text})

    def close(self, incident: str, *, closed_as: str, cause: str = "") -> Incident:
        """Args: closed_as: `cause`, `false alarm` or `other`."""
        body = {"closed_as": closed_as, "cause": cause}
        return self._connection.post(path("api", "incidents", incident, "close"), Incident, body=body)

    def report(self, incident: str, *, form: Literal["html", "md"] = "md") -> str:
        """A draft of its postmortem."""
        return self._connection.raw(path("api", "incidents", incident, "report"), format=form).decode()

    def detectors(self) -> list[Standing]:
        """What finds signals, and how often it was right."""
        return self._connection.items("/api/detectors", Standing)

    def mute(self, mark: str) -> Detector:
        return self._connection.post(path("api", "detectors", mark, "mute"), Detector)

    def topology(self, *, limit: int = 500) -> list[SeenCall]:
        """Who calls whom, as traces showed of late."""
        return self._connection.items("/api/topology", SeenCall, limit=limit)

    def forgive(self, mark: str) -> Detector:
        return self._connection.post(path("api", "incidents", "detectors", mark, "forgive"), Detector)
