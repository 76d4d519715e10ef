"""Jobs: pieces of work that go on in the platform."""

from __future__ import annotations

from opsloop.client.connection import Connection, path
from opsloop.core.jobs.models import Job


class Jobs:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, job: str) -> Job:
        return self._connection.get(path("api", "jobs", job), Job)

    def listed(self, *, kind: str | None = None, limit: int = 100) -> list[Job]:
        return self._connection.items("/api/jobs", Job, kind=kind, limit=limit)

    def cancel(self, job: str) -> Job:
        return self._connection.post(path("api", "jobs", job, "cancel"), Job)
