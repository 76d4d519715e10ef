"""The way back of an endpoint: to the newest release before its stable one that was neither left nor recalled."""

from __future__ import annotations

from sqlalchemy import select, update

from opsloop.core.workspace import UnitOfWork
from opsloop.releases import champions, rollouts, routing
from opsloop.releases._tables import EndpointRow, RecallRow, ReleaseRow, RolloutRow
from opsloop.releases.events import EndpointRolledBack


def target_of(uow: UnitOfWork, endpoint: EndpointRow) -> ReleaseRow | None:
    """Where a rollback leads; None when there is nothing to go back to."""
    found = _ways(uow, endpoint)
    return found[-1] if found else None


def go_back(uow: UnitOfWork, endpoint: EndpointRow, target: ReleaseRow, *, why: str) -> str:
    """Let `target` serve everybody again; the caller holds the endpoint's row.

    The release that is left keeps the cause. The one that comes back is not under watch any more: trouble that goes on
    was not its predecessor's, and must not send the endpoint back step by step.

    Returns: what was done and why, as a sentence.
    """
    assert endpoint.stable is not None
    replaced = uow.session.get_one(ReleaseRow, endpoint.stable)
    before = [each.id for each in _ways(uow, endpoint)]
    endpoint.stable, endpoint.earlier = target.id, before[: before.index(target.id)]
    champions.crown(uow, target)
    routing.bump(uow)
    reason = f"back from release {replaced.number} to {target.number}, {why}"
    replaced.left_for = why
    uow.session.execute(update(RolloutRow).where(RolloutRow.release == target.id).values(bakes_until=None))
    rollouts.note_taken_back(uow, replaced.id, reason)
    uow.audit(
        "endpoint.rolled_back",
        f"endpoint/{endpoint.name}",
        release=target.number,
        replaced=replaced.number,
        reason=reason,
    )
    uow.emit(EndpointRolledBack(endpoint.name, target.id, replaced.id, reason))
    return reason


def _ways(uow: UnitOfWork, endpoint: EndpointRow) -> list[ReleaseRow]:
    """Releases that served everybody before and may again, the newest last."""
    recalled = set(uow.session.scalars(select(RecallRow.serves_digest)))
    earlier = [uow.session.get_one(ReleaseRow, each) for each in endpoint.earlier]
    return [each for each in earlier if each.left_for is None and each.serves_digest not in recalled]
