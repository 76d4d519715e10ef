"""Rollouts: what people and the driver can do to one, each in the transaction that also records it.

An endpoint's row is locked before anything of it is read to be changed, and the routing table last, so that two changes
of one endpoint follow each other and the second sees what the first did.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork
from opsloop.feedback import service as feedback
from opsloop.monitoring import records
from opsloop.monitoring.objectives import arrivals
from opsloop.releases import champions, holds, routing
from opsloop.releases._tables import ApprovalRow, EndpointRow, ReleaseRow, RolloutEventRow, RolloutRow
from opsloop.releases.errors import NotPaused, NotRunning, RolloutGoesOn, RolloutHeld, RolloutIsOver
from opsloop.releases.events import RolloutAborted, RolloutPromoted, RolloutRolledBack, RolloutStarted, RolloutStepped
from opsloop.releases.models import (
    Approval,
    ApprovalId,
    ApprovalState,
    ReleaseId,
    Rollout,
    RolloutEvent,
    RolloutHistory,
    RolloutId,
    RolloutStatus,
)
from opsloop.releases.plan import SHADOW_STEP, Plan, from_stored, to_stored

LONGEST_REASON = 1_000
DRIVE = "rollout.drive"
"""The kind of job that drives a rollout."""

BAKE = "release.bake"
"""The kind of job that watches a release after it took over."""


def get(uow: UnitOfWork, rollout: str) -> RolloutHistory:
    """Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    row = found(uow, rollout)
    query = select(RolloutEventRow).where(RolloutEventRow.rollout == rollout).order_by(RolloutEventRow.seq)
    events = tuple(_event(each) for each in uow.session.scalars(query))
    asked = select(ApprovalRow).where(ApprovalRow.rollout == rollout).order_by(ApprovalRow.asked_at, ApprovalRow.id)
    return RolloutHistory(as_rollout(row), events, tuple(map(as_approval, uow.session.scalars(asked))))


def listed(uow: UnitOfWork, endpoint: str, *, limit: int = 100) -> list[Rollout]:
    """Rollouts of an endpoint, the newest first."""
    uow.by.require(Role.VIEWER)
    query = select(RolloutRow).where(RolloutRow.endpoint == endpoint)
    newest = query.order_by(RolloutRow.number.desc(), RolloutRow.started_at.desc()).limit(min(limit, 1_000))
    return [as_rollout(row) for row in uow.session.scalars(newest)]


def promote(uow: UnitOfWork, rollout: str) -> Rollout:
    """Let the candidate serve everybody now. Raises: RolloutIsOver, RolloutHeld."""
    uow.by.require(Role.OPERATOR)
    row = locked(uow, rollout)
    plan = from_stored(row.plan)
    if closed := holds.closed_for(uow, row, plan):
        held = f"{closed}; an admin may let it with `opsloop release override {row.endpoint} --reason …`"
        raise RolloutHeld(number=row.number, endpoint=row.endpoint, held=held)
    if holds.unanswered(uow, row, plan):
        held = f"its plan asks for approval; `opsloop release approve {row.endpoint}` gives it once it is asked for"
        raise RolloutHeld(number=row.number, endpoint=row.endpoint, held=held)
    let_take_over(uow, row, reason=f"promoted by {uow.by.name}")
    return as_rollout(row)


def roll_back(uow: UnitOfWork, rollout: str) -> Rollout:
    """Take the candidate back now. Raises: RolloutIsOver."""
    uow.by.require(Role.OPERATOR)
    row = locked(uow, rollout)
    take_back(uow, row, reason=f"rolled back by {uow.by.name}")
    return as_rollout(row)


def abort(uow: UnitOfWork, rollout: str) -> Rollout:
    """Give the rollout up without a judgement on the candidate. Raises: RolloutIsOver."""
    uow.by.require(Role.OPERATOR)
    row = locked(uow, rollout)
    give_up(uow, row, reason=f"aborted by {uow.by.name}")
    return as_rollout(row)


def pause(uow: UnitOfWork, rollout: str) -> Rollout:
    """Keep the share where it is. The analysis goes on, and still takes a worse candidate back.

    Raises: RolloutIsOver, NotRunning.
    """
    uow.by.require(Role.OPERATOR)
    row = locked(uow, rollout)
    if row.status == RolloutStatus.PAUSED:
        raise NotRunning(rollout=row.id, status=row.status)
    row.status = RolloutStatus.PAUSED
    note(uow, row, "paused", f"paused by {uow.by.name}")
    return as_rollout(row)


def resume(uow: UnitOfWork, rollout: str) -> Rollout:
    """Raises: RolloutIsOver, NotPaused."""
    uow.by.require(Role.OPERATOR)
    row = locked(uow, rollout)
    if row.status != RolloutStatus.PAUSED:
        raise NotPaused(rollout=row.id, status=row.status)
    row.status = RolloutStatus.RUNNING if row.has_begun else RolloutStatus.WAITING
    note(uow, row, "resumed", f"resumed by {uow.by.name}")
    return as_rollout(row)


def override(uow: UnitOfWork, rollout: str, *, reason: str) -> Rollout:
    """Let a rollout go on in freezes and outside its windows. Raises: NotAllowed, InvalidInput, RolloutIsOver."""
    uow.by.require(Role.ADMIN)
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise InvalidInput(field="reason", value=reason, wanted=f"why, in 1 to {LONGEST_REASON} characters")
    row = locked(uow, rollout)
    row.override = f"{uow.by.name}: {reason.strip()}"
    note(uow, row, "overridden", f"may go on in freezes and outside its windows, by {row.override}")
    return as_rollout(row)


def open_rollout(uow: UnitOfWork, endpoint: EndpointRow, release: ReleaseRow, plan: Plan) -> RolloutRow:
    """Begin the way of a release to traffic; the caller holds the endpoint's row.

    A plan with steps waits for its driver with a share of 0: a candidate that nobody watches gets no traffic.
    """
    present = active(uow, endpoint.name)
    if present is not None:
        raise RolloutGoesOn(endpoint=endpoint.name, rollout=present.id, number=present.number, status=present.status)
    stable = uow.session.get(ReleaseRow, endpoint.stable) if endpoint.stable else None
    row = RolloutRow(
        id=uow.ids.new("rollout"),
        endpoint=endpoint.name,
        active=endpoint.name,
        release=release.id,
        number=release.number,
        stable=stable.id if stable else None,
        stable_number=stable.number if stable else None,
        strategy=plan.strategy,
        plan=to_stored(plan),
        salt=uow.ids.new("salt"),
        feedback_after=max((given.seq for given in feedback.newest(uow, limit=1)), default=0),
        scores_after=arrivals.newest(uow),
        step=0 if plan.shadow is None else SHADOW_STEP,
        share=0.0,
        watched_s=0.0,
        status=RolloutStatus.WAITING,
        reason="",
        evidence={},
        started_at=uow.clock.now(),
        finished_at=None,
    )
    uow.session.add(row)
    uow.session.flush()
    if takes_over_at_once(row, plan) and holds.of(uow, row, plan, plan.first_place) is None:
        let_take_over(uow, row, reason=why_at_once(row))
    else:
        routing.bump(uow)  # gateways see the candidate and prepare it before its first request
        jobs.enqueue(uow, DRIVE, {"rollout": row.id}, id=f"job_{row.id}")
    return row


def takes_over_at_once(row: RolloutRow, plan: Plan) -> bool:
    """Whether nothing comes between the candidate's start and its taking over."""
    return row.stable is None or (not plan.steps and plan.shadow is None)


def why_at_once(row: RolloutRow) -> str:
    if row.stable is None:
        return "first release of the endpoint: there is nothing to compare it with"
    return f"{row.strategy}: release {row.number} takes over at once"


def begin_shadow(uow: UnitOfWork, row: RolloutRow, *, reason: str) -> None:
    """Have the candidate asked beside stable, which goes on answering everybody."""
    row.step, row.share, row.watched_s, row.has_begun = SHADOW_STEP, 0.0, 0.0, True
    row.status, row.reason = RolloutStatus.RUNNING, reason
    uow.emit(RolloutStarted(row.id, row.endpoint, row.release, row.share))
    routing.bump(uow)
    note(uow, row, "shadowed", reason)


def take_step(uow: UnitOfWork, row: RolloutRow, step: int, *, reason: str) -> None:
    """Give the candidate the share of a step."""
    is_first = step == 0 and row.step != SHADOW_STEP
    row.step = step
    row.share = from_stored(row.plan).steps[step].share
    row.watched_s = 0.0
    row.has_begun = True
    row.status = RolloutStatus.RUNNING
    row.reason = reason
    if is_first:
        uow.emit(RolloutStarted(row.id, row.endpoint, row.release, row.share))
    else:
        uow.emit(RolloutStepped(row.id, row.endpoint, row.release, row.share, reason))
    routing.bump(uow)
    note(uow, row, "started" if is_first else "stepped", reason)


def let_take_over(uow: UnitOfWork, row: RolloutRow, *, reason: str) -> None:
    """Make the candidate the endpoint's stable release."""
    endpoint = uow.session.get_one(EndpointRow, row.endpoint)
    replaced = endpoint.stable
    if replaced is not None:
        endpoint.earlier = [*endpoint.earlier, replaced]
    endpoint.stable = row.release
    champions.crown(uow, uow.session.get_one(ReleaseRow, row.release))
    _finish(uow, row, RolloutStatus.PROMOTED, share=1.0, reason=reason)
    _begin_bake(uow, row, replaced)
    uow.emit(RolloutPromoted(row.id, row.endpoint, row.release, replaced, reason))


def _begin_bake(uow: UnitOfWork, row: RolloutRow, replaced: str | None) -> None:
    """Keep a release under watch that took over from another one."""
    plan = from_stored(row.plan).bake
    if plan.bake_s <= 0.0 or replaced is None:
        return
    row.bakes_until = uow.clock.now() + timedelta(seconds=plan.bake_s)
    if plan.limits:
        seen = max((seq for seq, _ in records.newest(uow, endpoint=row.endpoint, limit=1)), default=0)
        heard = max((given.seq for given in feedback.newest(uow, limit=1)), default=0)
        jobs.enqueue(uow, BAKE, {"rollout": row.id, "after": seen, "feedback_after": heard}, id=f"bake_{row.id}")


def take_back(uow: UnitOfWork, row: RolloutRow, *, reason: str, by_analysis: bool = False) -> None:
    """Send the candidate's subjects back to stable."""
    _finish(uow, row, RolloutStatus.ROLLED_BACK, share=0.0, reason=reason)
    uow.session.get_one(ReleaseRow, row.release).left_for = reason
    uow.emit(RolloutRolledBack(row.id, row.endpoint, row.release, row.stable, reason, by_analysis))


def hold(uow: UnitOfWork, row: RolloutRow, *, reason: str) -> None:
    """Keep the share where it is until a person decides."""
    row.status, row.reason = RolloutStatus.PAUSED, reason
    note(uow, row, "held", reason)


def note_taken_back(uow: UnitOfWork, release: str, reason: str) -> None:
    """Tell in the history of the rollout that once brought a release to everybody that it serves nobody now."""
    row = uow.session.scalars(select(RolloutRow).where(RolloutRow.release == release)).one()
    _tell(uow, row, "taken_back", reason, share=0.0)


def note_reinstated(uow: UnitOfWork, release: str, reason: str) -> None:
    """Tell in the same history that it serves everybody again."""
    row = uow.session.scalars(select(RolloutRow).where(RolloutRow.release == release)).one()
    _tell(uow, row, "reinstated", reason, share=1.0)


def give_up(uow: UnitOfWork, row: RolloutRow, *, reason: str) -> None:
    _finish(uow, row, RolloutStatus.ABORTED, share=0.0, reason=reason)
    uow.emit(RolloutAborted(row.id, row.endpoint, row.release, reason))


def _finish(uow: UnitOfWork, row: RolloutRow, status: RolloutStatus, *, share: float, reason: str) -> None:
    row.status, row.share, row.reason = status, share, reason
    row.active = None
    row.finished_at = uow.clock.now()
    is_open = (ApprovalRow.rollout == row.id, ApprovalRow.state == ApprovalState.WAITING)
    uow.session.execute(update(ApprovalRow).where(*is_open).values(state=ApprovalState.VOID))
    routing.bump(uow)
    note(uow, row, status.value, reason)


def note(uow: UnitOfWork, row: RolloutRow, kind: str, sentence: str, **detail: Any) -> None:
    """Put what happened into the rollout's history and on the record, there with more detail."""
    _tell(uow, row, kind, sentence, share=row.share)
    uow.audit(
        f"rollout.{kind}",
        f"endpoint/{row.endpoint}",
        rollout=row.id,
        release=row.number,
        share=row.share,
        reason=sentence,
        evidence=summary(row.evidence),
        **detail,
    )


def _tell(uow: UnitOfWork, row: RolloutRow, kind: str, sentence: str, *, share: float) -> None:
    uow.session.add(
        RolloutEventRow(
            rollout=row.id,
            at=uow.clock.now(),
            kind=kind,
            share=share,
            sentence=sentence,
            by=uow.by.name,
            evidence=row.evidence,
        )
    )
    uow.ring("rollouts")


def summary(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the evidence that belongs on the record: what the analysis found, and who saw the candidate."""
    return {key: evidence[key] for key in ("analysis", "candidate", "experiment") if key in evidence}


def found(uow: UnitOfWork, rollout: str) -> RolloutRow:
    row = uow.session.get(RolloutRow, rollout)
    if row is None:
        raise NotFound(noun="rollout", name=rollout)
    return row


def active(uow: UnitOfWork, endpoint: str) -> RolloutRow | None:
    """The rollout that an endpoint is in, as of now."""
    query = select(RolloutRow).where(RolloutRow.active == endpoint).execution_options(populate_existing=True)
    return uow.session.scalar(query)


def locked(uow: UnitOfWork, rollout: str) -> RolloutRow:
    """A rollout that goes on, while nobody else can change its endpoint. Raises: NotFound, RolloutIsOver."""
    row = found(uow, rollout)
    lock_endpoint(uow, row.endpoint)
    uow.session.refresh(row)
    if RolloutStatus(row.status).is_over:
        raise RolloutIsOver(rollout=row.id, status=row.status.replace("_", " "), reason=row.reason)
    return row


def lock_endpoint(uow: UnitOfWork, name: str) -> EndpointRow:
    """An endpoint as of now, held until this transaction ends (SQLite holds the whole database). Raises: NotFound."""
    query = select(EndpointRow).where(EndpointRow.name == name).with_for_update()
    row = uow.session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound(noun="endpoint", name=name)
    return row


def as_rollout(row: RolloutRow) -> Rollout:
    return Rollout(
        id=RolloutId(row.id),
        endpoint=row.endpoint,
        release=ReleaseId(row.release),
        number=row.number,
        stable=ReleaseId(row.stable) if row.stable else None,
        stable_number=row.stable_number,
        strategy=row.strategy,
        steps=from_stored(row.plan).steps,
        step=row.step,
        share=row.share,
        status=RolloutStatus(row.status),
        reason=row.reason,
        evidence=row.evidence,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def as_approval(row: ApprovalRow) -> Approval:
    return Approval(
        id=ApprovalId(row.id),
        rollout=RolloutId(row.rollout),
        endpoint=row.endpoint,
        action=row.action,
        state=ApprovalState(row.state),
        sentence=row.sentence,
        shown=row.shown,
        digest=row.digest,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        reason=row.reason,
    )


def _event(row: RolloutEventRow) -> RolloutEvent:
    return RolloutEvent(
        at=row.at, kind=row.kind, share=row.share, sentence=row.sentence, by=row.by, evidence=row.evidence
    )
