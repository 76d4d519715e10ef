"""The audit trail."""

from __future__ import annotations

from typing import Any

from opsloop.client.connection import Connection
from opsloop.core.audit.models import AuditEvent, Verification

AT = "/api/audit"


class Audit:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def listed(
        self, *, target: str | None = None, action: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[AuditEvent]:
        """The newest events first; `target` and `action` are beginnings."""
        query: dict[str, Any] = {"target": target, "action": action, "before": before, "limit": limit}
        return self._connection.items(AT, AuditEvent, **query)

    def verify(self) -> Verification:
        return self._connection.get(f"{AT}/verify", Verification)

    def export(self) -> bytes:
        """The whole trail as JSON lines."""
        return self._connection.raw(f"{AT}/export")

    def report(self, since: str, until: str, *, form: str = "json") -> str:
        """The report for an audit of a period, in JSON or HTML."""
        return self._connection.raw(f"{AT}/report", **{"from": since, "to": until, "format": form}).decode()

    def public_key(self) -> str:
        """The public key that checks an export, in PEM form."""
        return str(self._connection.get(f"{AT}/key", dict[str, Any])["pem"])
