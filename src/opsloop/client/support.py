"""The support queue."""

from __future__ import annotations

from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.guardrails.support.models import Case


class Support:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def listed(self, *, state: str | None = None, endpoint: str | None = None, limit: int = 100) -> list[Case]:
        """The newest first."""
        query: dict[str, Any] = {"state": state, "endpoint": endpoint, "limit": limit}
        return self._connection.items("/api/support", Case, **query)

    def get(self, case: str) -> Case:
        return self._connection.get(path("api", "support", case), Case)

    def claim(self, case: str, *, take_over: bool = False) -> Case:
        """Take a case. Raises: a ServerProblem of kind `conflict` when somebody else has it."""
        return self._connection.post(path("api", "support", case, "claim"), Case, body={"take_over": take_over})

    def answer(self, case: str, text: str) -> Case:
        return self._connection.post(path("api", "support", case, "answer"), Case, body={"answer": text})

    def close(self, case: str) -> Case:
        return self._connection.post(path("api", "support", case, "close"), Case)
