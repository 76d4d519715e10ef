"""What trouble does to an endpoint whose rollout is over, or under way.

A release that became stable stays under watch for a while (`bake`). Trouble in that time is put down to it, and what
its plan says is done: it is left for the release before, or nothing further is released until a person has looked, or
it is told. The release that comes back is not under watch itself, and the one that was left is never returned to, so
trouble that goes on cannot send an endpoint to and fro.

Trouble while a rollout is under way says nothing of who is at fault, for both releases serve: the rollout is paused,
where its plan does more than tell, and its analysis goes on comparing.

`pull` is what other parts call, with the name of the cause: a budget that burns (`slo`), a drift alarm (`drift`), or
what the watch of the bake itself finds (`error`, `slow`, `dissatisfied`, `guarded`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.events.outbox import subscriber
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alerts.events import AlertFired
from opsloop.monitoring.drift.events import DriftDetected
from opsloop.releases import freezes, going_back, rollouts
from opsloop.releases._tables import EndpointRow, ReleaseRow, RolloutEventRow, RolloutRow
from opsloop.releases.events import EndpointTroubled
from opsloop.releases.models import RolloutStatus
from opsloop.releases.plan import OnTrigger, from_stored

TRIGGERED = "triggered"
OURS = "opsloop"
OBJECTIVE_RULES = ("objective-burns", "objective-broken")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Trouble that was put down to a release, and what was done about it."""

    endpoint: str
    number: int
    rollout: str
    sentence: str
    at: datetime


@subscriber(DriftDetected, "triggers")
def on_drift(uow: UnitOfWork, event: DriftDetected) -> None:
    pull(uow, event.endpoint, cause="drift", reason=event.sentence, release=event.release)


@subscriber(AlertFired, "triggers")
def on_alert(uow: UnitOfWork, event: AlertFired) -> None:
    """A budget that burns, as long as nobody said to be left alone with such alerts."""
    is_objective = event.source == OURS and event.rule in OBJECTIVE_RULES
    if is_objective and not event.is_silenced and uow.session.get(EndpointRow, event.endpoint) is not None:
        pull(uow, event.endpoint, cause="slo", reason=event.reason)


def pull(uow: UnitOfWork, endpoint: str, *, cause: str, reason: str, release: str | None = None) -> str:
    """Trouble at an endpoint: do what the plan of its newest rollout says. Safe to call again.

    Args:
        cause: one word, such as `slo`.
        reason: a sentence for people.
        release: whose trouble it is; None: of whichever is stable. Trouble of any other release is not this one's.
    Returns: what was done, as a sentence; empty when there was nothing to do.
    Raises: NotFound.
    """
    row = rollouts.lock_endpoint(uow, endpoint)
    present = rollouts.active(uow, endpoint)
    if present is not None:  # trouble of the stable release is no news of the candidate: it may be why there is one
        return _during(uow, present, cause, reason) if release in (None, present.release) else ""
    baking = _baking(uow, row)
    if baking is None or release not in (None, baking.release) or _is_told(uow, baking, cause):
        return ""
    return _after(uow, row, baking, cause, reason)


def recent(uow: UnitOfWork, since: datetime, *, limit: int = 50) -> list[Trouble]:
    """What trouble was put down to releases since a moment, the newest first."""
    uow.by.require(Role.VIEWER)
    query = (
        select(RolloutEventRow, RolloutRow)
        .join(RolloutRow, RolloutRow.id == RolloutEventRow.rollout)
        .where(RolloutEventRow.kind == TRIGGERED, RolloutEventRow.at >= since)
        .order_by(RolloutEventRow.seq.desc())
        .limit(limit)
    )
    return [
        Trouble(row.endpoint, row.number, row.id, event.sentence, event.at) for event, row in uow.session.execute(query)
    ]


def _during(uow: UnitOfWork, row: RolloutRow, cause: str, reason: str) -> str:
    if _is_told(uow, row, cause):
        return ""
    does_more = from_stored(row.plan).bake.on_trigger is not OnTrigger.TELL
    said = f"{cause}: {reason}"
    if does_more and row.status == RolloutStatus.RUNNING:
        row.status = RolloutStatus.PAUSED
        said = f"{said}; paused, and its analysis goes on comparing"
    rollouts.note(uow, row, TRIGGERED, said)
    uow.emit(EndpointTroubled(row.endpoint, row.release, cause, said))
    return said


def _after(uow: UnitOfWork, endpoint: EndpointRow, baking: RolloutRow, cause: str, reason: str) -> str:
    policy = from_stored(baking.plan).bake.on_trigger
    said = f"{cause}: {reason}"
    target = going_back.target_of(uow, endpoint) if policy is OnTrigger.ROLLBACK else None
    if target is not None:
        said = going_back.go_back(uow, endpoint, target, why=said)
        baking.bakes_until = None
    elif policy is OnTrigger.ROLLBACK:
        said = f"{said}; there is no release before it that may serve, so it goes on"
    elif policy is OnTrigger.PAUSE and not freezes.active(uow, endpoint.name):
        freezes.begin(uow, endpoint.name, reason=f"release {baking.number} is in trouble, {said}")
        said = f"{said}; frozen until a person has looked"
    rollouts.note(uow, baking, TRIGGERED, said)
    uow.emit(EndpointTroubled(endpoint.name, baking.release, cause, said))
    return said


def _baking(uow: UnitOfWork, endpoint: EndpointRow) -> RolloutRow | None:
    """The rollout that brought the stable release, while it is still under watch."""
    if endpoint.stable is None:
        return None
    query = select(RolloutRow).where(RolloutRow.release == endpoint.stable, RolloutRow.bakes_until.is_not(None))
    row = uow.session.scalars(query).first()
    is_over = row is None or row.bakes_until is None or row.bakes_until <= uow.clock.now()
    return None if is_over or uow.session.get_one(ReleaseRow, endpoint.stable).left_for else row


def _is_told(uow: UnitOfWork, row: RolloutRow, cause: str) -> bool:
    """Whether this cause was acted on in this rollout: the same trouble, told again, changes nothing."""
    query = select(RolloutEventRow.seq).where(
        RolloutEventRow.rollout == row.id,
        RolloutEventRow.kind == TRIGGERED,
        RolloutEventRow.sentence.contains(f"{cause}: ", autoescape=True),
    )
    return uow.session.scalar(query.limit(1)) is not None
