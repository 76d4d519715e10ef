"""Flow versions: a flow's folder, frozen and kept by the platform."""

from __future__ import annotations

from pathlib import Path

from opsloop.client.connection import Connection, path
from opsloop.flows import package
from opsloop.flows.formats import flow_file
from opsloop.flows.models import FlowSummary, FlowVersion


class Flows:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def register(self, folder: Path, *, name: str | None = None) -> FlowVersion:
        """Keep the flow in a folder as a version; the same content again is the version it was.

        Args:
            folder: the flow's, or the path of its file.
            name: what to call it; default: the folder's name, of a prompty the file's.
        Raises: FlowMissing, FlowInvalid, FlowTooLarge before anything is sent.
        """
        flow = flow_file.read(folder)
        archive = package.archive_of(flow.folder, flow.additional_includes, flow.file)
        at = path("api", "flows", name or _name(folder), "versions")
        return self._connection.post(at, FlowVersion, data=archive)

    def listed(self) -> list[FlowVersion]:
        """The current version of every flow."""
        return self._connection.items("/api/flows", FlowVersion)

    def versions(self, name: str) -> list[FlowVersion]:
        """All versions of a flow, newest first."""
        return self._connection.items(path("api", "flows", name, "versions"), FlowVersion)

    def get(self, name: str, version: int | str) -> FlowSummary:
        return self._connection.get(path("api", "flows", name, "versions", version), FlowSummary)


def _name(path: Path) -> str:
    """What a flow is called after its place."""
    place = path.resolve()
    if not place.is_file():
        return place.name
    return place.stem if place.suffix == ".prompty" else place.parent.name


def digest_of(folder: Path) -> str:
    """What names a flow's content; equal on both sides of the wire."""
    flow = flow_file.read(folder)
    return package.digest_of(flow.folder, flow.additional_includes, flow.file)
