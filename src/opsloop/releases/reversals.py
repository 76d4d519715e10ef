"""What a repair does to an endpoint, and its undo: leave the release that is to blame, and bring it back.

Unlike a person's rollback these name what they change: they do nothing to an endpoint that has moved on meanwhile.
"""

from __future__ import annotations

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.releases import champions, going_back, recalls, rollouts, routing
from opsloop.releases._tables import EndpointRow, ReleaseRow, RolloutRow
from opsloop.releases.errors import (
    NeverServed,
    NoEarlierRelease,
    NothingReleased,
    RolloutGoesOn,
    ServesAlready,
    ServesAnother,
)
from opsloop.releases.events import EndpointReinstated
from opsloop.releases.models import RolloutStatus

LONGEST_REASON = 1_000


def revision(uow: UnitOfWork, endpoint: str) -> str:
    """What an endpoint serves to whom, as a text that differs when that does. Raises: NotFound."""
    row = _found(uow, endpoint)
    present = rollouts.active(uow, endpoint)
    under_way = f"{present.id} {present.status} {present.share:g}" if present is not None else "none"
    return f"stable {row.stable or 'none'}, rollout {under_way}"


def earlier_than_stable(uow: UnitOfWork, endpoint: str) -> int | None:
    """The number of the release that a rollback leads to; None when there is none. Raises: NotFound."""
    target = going_back.target_of(uow, _found(uow, endpoint))
    return target.number if target is not None else None


def check_serves(uow: UnitOfWork, endpoint: str, number: int) -> None:
    """Raises: NotFound, ServesAnother unless this release is the stable one."""
    _check_serves(uow, _found(uow, endpoint), number)


def leave(uow: UnitOfWork, endpoint: str, *, number: int, why: str) -> str:
    """Let the release before `number` serve everybody again.

    Args:
        number: of the release that is left, which must be the stable one.
        why: for the record; who asked stands in the audit trail.
    Returns: what was done, as a sentence.
    Raises: NotFound, ServesAnother, NoEarlierRelease.
    """
    uow.by.require(Role.OPERATOR)
    row = rollouts.lock_endpoint(uow, endpoint)
    _check_serves(uow, row, number)
    target = going_back.target_of(uow, row)
    if target is None:
        raise NoEarlierRelease(endpoint=endpoint, number=number)
    return going_back.go_back(uow, row, target, why=why)


def reinstate(uow: UnitOfWork, endpoint: str, *, number: int, instead_of: int | None = None, why: str) -> str:
    """Undo `leave`: let release `number`, which served everybody before, serve everybody again.

    Args:
        instead_of: the release that serves now; None: whichever does.
        why: 1 to 1,000 characters, for the record.
    Returns: what was done, as a sentence.
    Raises: InvalidInput, NotFound, NothingReleased, ServesAnother, NeverServed, RolloutGoesOn, Recalled.
    """
    uow.by.require(Role.OPERATOR)
    if not why.strip() or len(why) > LONGEST_REASON:
        raise InvalidInput(field="reason", value=why, wanted=f"why, in 1 to {LONGEST_REASON} characters")
    row = rollouts.lock_endpoint(uow, endpoint)
    if row.stable is None:
        raise NothingReleased(endpoint=endpoint)
    replaced = uow.session.get_one(ReleaseRow, row.stable)
    present = replaced.number
    if instead_of is not None:
        _check_serves(uow, row, instead_of)
    if (going_on := rollouts.active(uow, endpoint)) is not None:
        raise RolloutGoesOn(endpoint=endpoint, rollout=going_on.id, number=going_on.number, status=going_on.status)
    release = _numbered(uow, endpoint, number)
    _check_served(uow, release)
    recalls.check(uow, release.serves_digest, release.serves)
    row.earlier = [*(each for each in row.earlier if each != release.id), row.stable]
    row.stable, release.left_for = release.id, None
    champions.crown(uow, release)
    routing.bump(uow)
    reason = f"from release {present} to {number} again, {why}"
    rollouts.note_reinstated(uow, release.id, reason)
    uow.audit("endpoint.reinstated", f"endpoint/{endpoint}", release=number, replaced=present, reason=reason)
    uow.emit(EndpointReinstated(endpoint, release.id, reason, replaced.id))
    return reason


def _check_serves(uow: UnitOfWork, row: EndpointRow, number: int) -> None:
    stable = uow.session.get(ReleaseRow, row.stable) if row.stable else None
    if stable is None or stable.number != number:
        raise ServesAnother(endpoint=row.name, number=number, serves=stable.number if stable is not None else "none")


def _check_served(uow: UnitOfWork, release: ReleaseRow) -> None:
    """A candidate that never passed its rollout does not come back on this way."""
    passed = (RolloutRow.release == release.id, RolloutRow.status == RolloutStatus.PROMOTED)
    if release.id == uow.session.get_one(EndpointRow, release.endpoint).stable:
        raise ServesAlready(endpoint=release.endpoint, number=release.number)
    if uow.session.scalar(select(RolloutRow.id).where(*passed).limit(1)) is None:
        raise NeverServed(endpoint=release.endpoint, number=release.number)


def _numbered(uow: UnitOfWork, endpoint: str, number: int) -> ReleaseRow:
    query = select(ReleaseRow).where(ReleaseRow.endpoint == endpoint, ReleaseRow.number == number)
    row = uow.session.scalars(query).one_or_none()
    if row is None:
        raise NotFound(noun=f"release of {endpoint}", name=str(number))
    return row


def _found(uow: UnitOfWork, endpoint: str) -> EndpointRow:
    row = uow.session.get(EndpointRow, endpoint)
    if row is None:
        raise NotFound(noun="endpoint", name=endpoint)
    return row
