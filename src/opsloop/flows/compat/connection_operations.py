"""`client.connections`: connections kept and found as scripts of Prompt flow do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.flows.connections import lookup
from opsloop.flows.connections.models import Connection
from opsloop.flows.connections.user_objects import user_object
from opsloop.flows.shim_finder import install_shim

SCRUBBED = "******"
_LEFT_OPEN = (SCRUBBED, "<user-input>", "<no-change>")


class ConnectionOperations:
    """Connections by their names."""

    def get(self, name: str, with_secrets: bool = False, **_: Any) -> Any:
        """The connection as an object of its class. Raises: ConnectionMissing.

        Args:
            with_secrets: whether its secrets are in it, else there are stars.
        """
        known = lookup.here()
        found = known.need(name)
        return self._object(found if with_secrets else _scrubbed(found))

    def list(self, **_: Any) -> list[Any]:
        known = lookup.here()
        found = [each for name in known.names() if (each := known.found(name)) is not None]
        return [self._object(_scrubbed(each)) for each in found]

    def create_or_update(self, connection: Any, **_: Any) -> Any:
        """Keep a connection; one of that name is replaced, and a scrubbed secret of it stays as it was.

        Raises: InvalidInput when it has no name, ConnectionInvalid.
        """
        name = getattr(connection, "name", None)
        if not isinstance(name, str) or not name:
            wanted = "a name, as in OpenAIConnection(name='mine', …)"
            raise InvalidInput(field="connection.name", value=name, wanted=wanted)
        store = lookup.store_here()
        made = _with_kept_secrets(lookup.as_connection(name, connection), store.get(name))
        store.put(made)
        return self._object(_scrubbed(made))

    def delete(self, name: str, **_: Any) -> None:
        """Raises: ConnectionMissing when no such connection was created; what a file says of it stays."""
        known = lookup.here()
        if not [store for store in known.stores if store.remove(name)]:
            known.refuse(name)

    def _object(self, connection: Connection) -> Any:
        install_shim()
        return user_object(connection)


def _scrubbed(connection: Connection) -> Connection:
    return replace(connection, secrets=dict.fromkeys(connection.secrets, SCRUBBED))


def _with_kept_secrets(made: Connection, kept: Connection | None) -> Connection:
    before = kept.secrets if kept is not None else {}
    secrets = {
        key: before[key] if value == SCRUBBED and key in before else value for key, value in made.secrets.items()
    }
    for key, value in secrets.items():
        if value in _LEFT_OPEN:
            field = f"connection {made.name}.{key}"
            raise InvalidInput(field=field, value=value, wanted="the secret itself, or ${env:NAME}")
    return replace(made, secrets=secrets)
