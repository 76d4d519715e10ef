"""What keys and endpoints may use, and what they have used."""

from __future__ import annotations

from opsloop.client.connection import Connection, path
from opsloop.limits.models import Limit, LimitState, Scope, Use

_PLURAL = {Scope.KEY: "keys", Scope.ENDPOINT: "endpoints"}


class Limits:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def listed(self) -> list[LimitState]:
        return self._connection.items("/api/limits", LimitState)

    def used(self) -> list[Use]:
        """What was used in the windows that are now."""
        return self._connection.items("/api/limits/use", Use)

    def put(self, scope: Scope, name: str, limit: Limit) -> LimitState:
        """Args: name: of the key or endpoint; "" by default."""
        return self._connection.put(_at(scope, name), LimitState, body=limit)

    def remove(self, scope: Scope, name: str) -> None:
        self._connection.delete(_at(scope, name))


def _at(scope: Scope, name: str) -> str:
    return path("api", "limits", "default") if scope is Scope.DEFAULT else path("api", "limits", _PLURAL[scope], name)
