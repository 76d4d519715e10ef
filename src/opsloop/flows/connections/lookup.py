"""Where a name of a connection is looked up: what was given, the project's file, then the stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from pydantic import Field

from opsloop.core.context import current_workspace
from opsloop.core.settings import Section, read
from opsloop.flows import places
from opsloop.flows.connections import files
from opsloop.flows.connections.errors import ConnectionMissing
from opsloop.flows.connections.kinds import CUSTOM, kind_of
from opsloop.flows.connections.models import Connection
from opsloop.flows.connections.store import HOME, ConnectionStore
from opsloop.flows.errors import suggestion

FILE = "connections.yaml"


class ConnectionSettings(Section):
    connections_file: Path | None = Field(
        None, description="File of connections, as a path; unset: connections.yaml beside the data folder."
    )
    connections_home: Path = Field(
        HOME, description="Folder of the connections of this user, as a path; used after those of the project."
    )


@dataclass(frozen=True, slots=True)
class Connections:
    """Connections by name, the first place that has one wins. Files are read when asked, so a change is seen.

    Args:
        given: by name: a Connection, the mapping a file would hold, or an object of a user's connection class.
    """

    given: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    stores: tuple[ConnectionStore, ...] = ()

    def get(self, name: str) -> Connection | None:
        """With the values of the environment in it. Raises: ConnectionInvalid, StoreUnreadable, FlowInvalid."""
        found = self.found(name)
        return None if found is None else files.looked_up(found)

    def need(self, name: str) -> Connection:
        """As `get`. Raises: ConnectionMissing."""
        found = self.get(name)
        if found is None:
            self.refuse(name)
        return found

    def refuse(self, name: str) -> NoReturn:
        """Raises: ConnectionMissing, with the known name that looks most like it."""
        raise ConnectionMissing(noun="connection", name=name, near=suggestion(name, self.names()))

    def names(self) -> list[str]:
        there = [name for path in self._files() for name in files.read_many(path)]
        return sorted({*self.given, *there, *(name for store in self.stores for name in store.names())})

    def found(self, name: str) -> Connection | None:
        """As it is written, with nothing looked up. Raises: as `get`."""
        if name in self.given:
            return as_connection(name, self.given[name])
        for path in self._files():
            if (found := files.read_many(path).get(name)) is not None:
                return found
        return next((found for store in self.stores if (found := store.get(name)) is not None), None)

    def paths(self) -> list[Path]:
        """The files that say what there is; when one changes, so may a connection."""
        return [*self.files, *(store.path for store in self.stores)]

    def _files(self) -> list[Path]:
        return [path for path in self.files if path.is_file()]


def as_connection(name: str, value: Any) -> Connection:
    """What a caller gave under a name, as a connection. Raises: ConnectionInvalid."""
    if isinstance(value, Connection):
        return value
    if hasattr(value, "secrets") and hasattr(value, "configs"):  # of a user's connection class
        kind = kind_of(str(getattr(value, "type", "custom"))) or CUSTOM
        return Connection(name, kind, _texts(value.configs), _texts(value.secrets))
    return files.parse(value, name=name)


def here(given: Mapping[str, Any] | None = None) -> Connections:
    """The connections that the current workspace sees; without one, those of the project here and of this user."""
    workspace = current_workspace.get(None)
    if workspace is not None:
        return of(workspace.data_dir, workspace.section(ConnectionSettings), given)
    return of(places.data_dir(), read(ConnectionSettings), given)


def home() -> Path:
    """The folder of what belongs to this user and to no project."""
    workspace = current_workspace.get(None)
    settings = read(ConnectionSettings) if workspace is None else workspace.section(ConnectionSettings)
    return settings.connections_home.expanduser().absolute()


def store_here() -> ConnectionStore:
    """Where a new connection is kept: with the project here, outside of one with this user."""
    of_project, of_user = here().stores
    return of_project if places.project_folder() is not None else of_user


def of(data_dir: Path, settings: ConnectionSettings, given: Mapping[str, Any] | None = None) -> Connections:
    """The connections of the project whose data folder this is, then those of the user."""
    # Absolute: a flow's code runs in the flow's folder.
    data_dir = data_dir.absolute()
    file = (settings.connections_file or data_dir.parent / FILE).absolute()
    stores = (ConnectionStore(data_dir), ConnectionStore(settings.connections_home.expanduser().absolute()))
    return Connections(given or {}, (file,), stores)


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in values.items() if value is not None}
