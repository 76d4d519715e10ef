"""Versions of flows: each an immutable content under a name and a number, loaded once per process."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.db.holding import held_or_made
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.flows import graph, package
from opsloop.flows import service as flows
from opsloop.flows._tables import FlowRow, FlowVersionRow
from opsloop.flows.errors import FlowMissing, FlowTooLarge, PackageDamaged, suggestion
from opsloop.flows.loaded import KEPT, LoadedFlow, load
from opsloop.flows.models import Flow, FlowSummary, FlowVersion, NodeSummary, OutputSummary

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


class FlowVersionMissing(NotFound):
    template = "no flow version {name!r}{near}; `opsloop flow list` shows those there are"


class NotAFlowArchive(InvalidInput):
    """Bytes that were sent as a flow are none."""


def register(uow: UnitOfWork, name: str, archive: bytes) -> FlowVersion:
    """Keep a frozen flow under a name; content that the name has already is the version it was.

    The version registered last is what the bare name stands for.

    Args:
        archive: of `package.archive_of`.
    Raises: InvalidInput for a wrong name, NotAFlowArchive, FlowInvalid, FlowTooLarge.
    """
    uow.by.require(Role.DEVELOPER)
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            field="flow name", value=name, wanted="up to 80 letters, digits and ._-, a letter or digit first"
        )
    digest = _stored(uow.workspace, archive)
    flow = _locked(uow, name)
    row = uow.session.scalar(select(FlowVersionRow).where(FlowVersionRow.name == name, FlowVersionRow.digest == digest))
    if row is None:
        flow.versions += 1
        row = FlowVersionRow(
            id=uow.ids.new("flow"),
            name=name,
            version=flow.versions,
            digest=digest,
            artifact=package.key_of(digest),
            size_bytes=len(archive),
            created_at=uow.clock.now(),
            created_by=uow.by.name,
        )
        uow.session.add(row)
        uow.audit("flow.registered", f"flow/{name}@{row.version}", digest=digest)
    flow.current = row.version
    uow.session.flush()
    return _version(row)


def get(uow: UnitOfWork, ref: str) -> FlowVersion:
    """The version a text names: `answer@2`, or `answer` for the one registered last. Raises: FlowVersionMissing."""
    uow.by.require(Role.VIEWER)
    name, _, number = ref.partition("@")
    if not _NAME.fullmatch(name):
        raise InvalidInput(field="flow version", value=ref, wanted="NAME or NAME@NUMBER, such as answer@2")
    query = select(FlowVersionRow).join(FlowRow, FlowRow.name == FlowVersionRow.name).where(FlowVersionRow.name == name)
    if number in ("", "latest"):
        query = query.where(FlowVersionRow.version == FlowRow.current)
    elif number.isdecimal() and len(number) < 10:
        query = query.where(FlowVersionRow.version == int(number))
    else:
        raise InvalidInput(field="flow version", value=ref, wanted="NAME or NAME@NUMBER, such as answer@2")
    row = uow.session.scalar(query)
    if row is None:
        known = uow.session.scalars(select(FlowRow.name).limit(1_000)).all()
        near = "" if name in known else suggestion(name, known)
        raise FlowVersionMissing(noun="flow version", name=ref, near=near)
    return _version(row)


def named(uow: UnitOfWork, id: str) -> FlowVersion | None:
    """The version with an id, or None when there is none."""
    uow.by.require(Role.VIEWER)
    row = uow.session.get(FlowVersionRow, id)
    return None if row is None else _version(row)


def listed(uow: UnitOfWork, *, name: str | None = None, limit: int = 200) -> list[FlowVersion]:
    """The current version of every flow by name; with a name all versions of that flow, newest first."""
    uow.by.require(Role.VIEWER)
    query = select(FlowVersionRow).join(FlowRow, FlowRow.name == FlowVersionRow.name).limit(min(limit, 1_000))
    if name is None:
        query = query.where(FlowVersionRow.version == FlowRow.current).order_by(FlowVersionRow.name)
    else:
        query = query.where(FlowVersionRow.name == name).order_by(FlowVersionRow.version.desc())
    return [_version(row) for row in uow.session.scalars(query)]


def read(workspace: Workspace, version: FlowVersion) -> Flow:
    """What its author wrote, without loading its Python."""
    return flows.read(flows.materialise(workspace, version.digest))


def summary(workspace: Workspace, version: FlowVersion) -> FlowSummary:
    """What is in a version, for people who look at it."""
    flow = read(workspace, version)
    waits = graph.dependencies(flow)
    return FlowSummary(
        version=version,
        inputs=tuple(flow.inputs.values()),
        outputs=tuple(
            OutputSummary(each.name, each.type, str(each.binding), each.is_chat_output)
            for each in flow.outputs.values()
        ),
        nodes=tuple(
            NodeSummary(node.name, node.type, tuple(sorted(waits[node.name])), node.aggregation) for node in flow.nodes
        ),
        mermaid=graph.mermaid(flow),
        warnings=flow.warnings,
    )


_opened: OrderedDict[str, LoadedFlow] = OrderedDict()
_lock = threading.Lock()


def open(workspace: Workspace, version: FlowVersion) -> LoadedFlow:
    """A version, ready to run; loaded once per process. Raises: FlowInvalid, ArtifactMissing, PackageDamaged."""
    return open_digest(workspace, version.digest)


def open_digest(workspace: Workspace, digest: str) -> LoadedFlow:
    """As `open`, for who keeps the digest alone. Equal content is the same flow, whatever its name."""
    with _lock:
        if (known := _opened.get(digest)) is not None:
            _opened.move_to_end(digest)
            return known
    loaded = load(flows.materialise(workspace, digest))
    with _lock:
        loaded = _opened.setdefault(digest, loaded)
        while len(_opened) > KEPT:
            _opened.popitem(last=False)
    return loaded


def _stored(workspace: Workspace, archive: bytes) -> str:
    """Put an archive into the artifact store, and see that it holds a flow that can be read; its digest."""
    if len(archive) > package.SIZE_LIMIT_BYTES:
        raise FlowTooLarge(
            folder="in the archive", what=f"{len(archive)} bytes", limit=f"{package.SIZE_LIMIT_BYTES} bytes"
        )
    try:
        digest = package.digest_in(archive)
    except PackageDamaged as error:
        raise _not_an_archive(f"it cannot be read ({error.facts['reason']})") from error
    key = package.key_of(digest)
    if not workspace.artifacts.exists(key):
        workspace.artifacts.put(key, archive)
    try:
        flows.read(flows.materialise(workspace, digest))
    except FlowMissing as error:
        raise _not_an_archive("it has no flow.dag.yaml at its root") from error
    return digest


def _not_an_archive(reason: str) -> NotAFlowArchive:
    return NotAFlowArchive(f"flow archive: {reason}; wanted the tar of a flow's folder", field="flow archive")


def _locked(uow: UnitOfWork, name: str) -> FlowRow:
    """The row of a flow, held by this transaction; made when there is none."""
    made = FlowRow(name=name, current=0, versions=0, created_at=uow.clock.now(), created_by=uow.by.name)
    return held_or_made(uow.session, made, name)


def _version(row: FlowVersionRow) -> FlowVersion:
    return FlowVersion(
        id=row.id,
        name=row.name,
        version=row.version,
        digest=row.digest,
        artifact=row.artifact,
        size_bytes=row.size_bytes,
        created_at=row.created_at,
        created_by=row.created_by,
    )
