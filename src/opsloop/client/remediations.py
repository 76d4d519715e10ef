"""Remediations."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.client.decode import convert
from opsloop.client.waiting import last, looks
from opsloop.core.errors import StillPending
from opsloop.remediation.assistant.models import Reply
from opsloop.remediation.models import Halt, Remediation, Standing

POLL_S = 0.5


class RepairGoesOn(StillPending):
    template = "remediation {remediation} is {state}; it goes on"


class Remediations:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def listed(
        self,
        *,
        state: str | None = None,
        incident: str | None = None,
        endpoint: str | None = None,
        waiting: bool = False,
        limit: int = 100,
    ) -> list[Remediation]:
        """The newest first."""
        query: dict[str, Any] = {
            "state": state,
            "incident": incident,
            "endpoint": endpoint,
            "waiting": waiting,
            "limit": limit,
        }
        return self._connection.items("/api/remediations", Remediation, **query)

    def get(self, remediation: str) -> Remediation:
        return self._connection.get(path("api", "remediations", remediation), Remediation)

    def propose(self, incident: str) -> list[Remediation]:
        """Look again for what could be done about an incident; what is new."""
        page = self._connection.post(path("api", "incidents", incident, "remediations"), dict[str, Any])
        return convert(page["items"], list[Remediation], where="/api/incidents/…/remediations")

    def approve(self, remediation: str, *, digest: str, reason: str = "") -> Remediation:
        """Say yes to what was shown."""
        body = {"digest": digest, "reason": reason}
        return self._connection.post(path("api", "remediations", remediation, "approve"), Remediation, body=body)

    def reject(self, remediation: str, *, reason: str) -> Remediation:
        body = {"reason": reason}
        return self._connection.post(path("api", "remediations", remediation, "reject"), Remediation, body=body)

    def undo(self, remediation: str, *, reason: str) -> Remediation:
        body = {"reason": reason}
        return self._connection.post(path("api", "remediations", remediation, "undo"), Remediation, body=body)

    def renew(self, remediation: str) -> Remediation:
        """Ask again with what is true now."""
        return self._connection.post(path("api", "remediations", remediation, "renew"), Remediation)

    def rehearse(self, playbook: str, parameters: dict[str, Any]) -> Remediation:
        body = {"playbook": playbook, "parameters": parameters}
        return self._connection.post(path("api", "remediations", "rehearse"), Remediation, body=body)

    def playbooks(self) -> list[Standing]:
        """What each may do here."""
        return self._connection.items("/api/remediations/playbooks", Standing)

    def halt(self, reason: str) -> Halt:
        return self._connection.post(path("api", "remediations", "halt"), Halt, body={"reason": reason})

    def resume(self) -> Halt:
        return self._connection.post(path("api", "remediations", "resume"), Halt)

    def ask(self, question: str, *, incident: str | None = None) -> Reply:
        """What is stored that answers a question, with citations."""
        body = {"question": question, "incident": incident}
        return self._connection.post("/api/assistant", Reply, body=body)

    def wait(
        self,
        remediation: str,
        *,
        timeout_s: float | None = None,
        tell: Callable[[Remediation], None] = lambda _: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> Remediation:
        """The remediation once it is over. Raises: RepairGoesOn when the time ended first."""

        def is_over(found: Remediation) -> bool:
            return found.state.is_over

        each = looks(lambda: self.get(remediation), is_over, timeout_s=timeout_s, every_s=POLL_S, pause=pause)
        found = last(each, tell)
        if not is_over(found):
            raise RepairGoesOn(remediation=remediation, state=found.state.value)
        return found
