"""Runs that are kept to be looked at: the newest of each flow, cut to a size, without secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import defer

from opsloop.core.caller import Role
from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.flows._tables import FlowRunRow
from opsloop.flows.kept_values import Room, secrets_of
from opsloop.flows.models import Flow, FlowVersion
from opsloop.flows.results import NO_TOKENS, FlowResult, NodeRun, NodeStatus, TokenUse
from opsloop.flows.run_models import FlowRun, FlowRunLine, NodeTrace, RunStatus
from opsloop.flows.settings import FlowSettings


class FlowRunMissing(NotFound):
    template = "no run {name!r} of flow {flow!r}; the newest {kept} runs of a flow are kept"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: with a result, or with an error and what there was until then."""

    started_at: datetime
    inputs: Mapping[str, Any]
    result: FlowResult | None
    error: str | None = None
    duration_ms: float = 0.0


def keep(uow: UnitOfWork, version: FlowVersion, flow: Flow, ended: Ended) -> FlowRun:
    """Keep a run, and let go of the flow's oldest."""
    uow.by.require(Role.DEVELOPER)
    result = ended.result
    # A flow without a name of its own is called by its folder; a version's folder is called by its digest.
    room = Room(secrets_of(flow, ended.inputs), named={version.digest: version.name})
    row = FlowRunRow(
        id=uow.ids.new("frun"),
        flow=version.name,
        version=version.version,
        digest=version.digest,
        status=RunStatus.COMPLETED if ended.error is None else RunStatus.FAILED,
        error=None if ended.error is None else room.sentence(ended.error),
        duration_ms=result.duration_ms if result is not None else ended.duration_ms,
        content={
            "variants": dict(flow.chosen_variants),
            "inputs": room.take(ended.inputs),
            "outputs": room.take(result.outputs) if result is not None else {},
            "tokens": asdict(result.tokens if result is not None else NO_TOKENS),
            "nodes": [_kept(each, room) for each in result.nodes] if result is not None else [],
        },
        created_at=ended.started_at,
        created_by=uow.by.name,
    )
    uow.session.add(row)
    uow.session.flush()
    _let_go(uow, version.name)
    return _run(row)


def get(uow: UnitOfWork, flow: str, id: str) -> FlowRun:
    """Raises: FlowRunMissing."""
    uow.by.require(Role.VIEWER)
    row = uow.session.get(FlowRunRow, id)
    if row is None or row.flow != flow:
        kept = uow.workspace.section(FlowSettings).flow_runs_kept
        raise FlowRunMissing(noun="flow run", name=id, flow=flow, kept=kept)
    return _run(row)


def flow_of(uow: UnitOfWork, id: str) -> str | None:
    """The version that a run was of, `answer@2`, or None when there is no such run."""
    uow.by.require(Role.VIEWER)
    row = uow.session.get(FlowRunRow, id, options=[defer(FlowRunRow.content)])
    return None if row is None else f"{row.flow}@{row.version}"


def listed(uow: UnitOfWork, flow: str, *, limit: int = 20) -> list[FlowRunLine]:
    """The newest runs of a flow, of any version, newest first."""
    uow.by.require(Role.VIEWER)
    query = (
        select(FlowRunRow)
        .options(defer(FlowRunRow.content))
        .where(FlowRunRow.flow == flow)
        .order_by(FlowRunRow.created_at.desc(), FlowRunRow.id.desc())
        .limit(min(limit, 1_000))
    )
    return [_line(row) for row in uow.session.scalars(query)]


def _let_go(uow: UnitOfWork, flow: str) -> None:
    kept = (
        select(FlowRunRow.id)
        .where(FlowRunRow.flow == flow)
        .order_by(FlowRunRow.created_at.desc(), FlowRunRow.id.desc())
        .limit(uow.workspace.section(FlowSettings).flow_runs_kept)
    )
    newest = uow.session.scalars(kept).all()
    uow.session.execute(delete(FlowRunRow).where(FlowRunRow.flow == flow, FlowRunRow.id.not_in(newest)))


def _kept(run: NodeRun, room: Room) -> dict[str, Any]:
    return {
        "node": run.node,
        "type": run.type,
        "status": run.status.value,
        "start_ms": run.start_ms,
        "duration_ms": run.duration_ms,
        "error": None if run.error is None else room.sentence(run.error),
        "output": room.take(run.output),
        "inputs": room.take(run.inputs),
        "tokens": asdict(run.tokens),
        "model": None if run.model is None else room.text(run.model),
        "conversation": room.take(list(run.conversation)),
    }


def _trace(kept: Mapping[str, Any]) -> NodeTrace:
    status, tokens = NodeStatus(kept["status"]), TokenUse(**kept["tokens"])
    return NodeTrace(**{**kept, "status": status, "tokens": tokens})


def _run(row: FlowRunRow) -> FlowRun:
    content = row.content
    nodes: Sequence[Mapping[str, Any]] = content["nodes"]
    return FlowRun(
        id=row.id,
        flow=row.flow,
        version=row.version,
        digest=row.digest,
        variants=content["variants"],
        status=RunStatus(row.status),
        inputs=content["inputs"],
        outputs=content["outputs"],
        error=row.error,
        duration_ms=row.duration_ms,
        tokens=TokenUse(**content["tokens"]),
        nodes=tuple(_trace(each) for each in nodes),
        created_at=row.created_at,
        created_by=row.created_by,
    )


def _line(row: FlowRunRow) -> FlowRunLine:
    return FlowRunLine(
        id=row.id,
        flow=row.flow,
        version=row.version,
        status=RunStatus(row.status),
        error=row.error,
        duration_ms=row.duration_ms,
        created_at=row.created_at,
        created_by=row.created_by,
    )
