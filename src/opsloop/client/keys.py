"""API keys."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.client.connection import Connection, path
from opsloop.client.decode import decode
from opsloop.core.caller import Role
from opsloop.core.identity.models import ApiKey

AT = "/api/keys"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and its secret, which is shown this once."""

    key: ApiKey
    secret: str


class Keys:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, name: str, *, role: Role = Role.VIEWER, lifetime_days: int | None = None) -> NewKey:
        wanted = {"name": name, "role": role, "lifetime_days": lifetime_days}
        return self._connection.post(AT, NewKey, body=wanted)

    def listed(self) -> list[ApiKey]:
        return self._connection.items(AT, ApiKey)

    def revoke(self, name: str) -> ApiKey:
        at = path("api", "keys", name)
        return decode(self._connection.delete(at), ApiKey, where=at)
