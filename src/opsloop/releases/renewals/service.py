"""Begin renewals, look how far they are, say yes or no to one that waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.models import service as models
from opsloop.releases import renewal_policy, rollouts
from opsloop.releases import service as releases
from opsloop.releases.errors import KindsMixed
from opsloop.releases.models import Release
from opsloop.releases.renewal_policy import Cause, Policy
from opsloop.releases.renewals import course
from opsloop.releases.renewals._tables import RenewalEventRow, RenewalRow
from opsloop.releases.renewals.course import Renewed
from opsloop.releases.renewals.errors import NoPolicy, NothingToApprove, RenewalGoesOn, RenewalIsOver
from opsloop.releases.renewals.models import Renewal, RenewalHistory, RenewalState
from opsloop.releases.renewals.releasing import release_challenger

LONGEST_REASON = 1_000


def start(
    uow: UnitOfWork,
    endpoint: str,
    *,
    reason: str = "",
    model: str | None = None,
    config: Mapping[str, Any] | None = None,
    policy: Mapping[str, Any] | None = None,
) -> Renewal:
    """Renew the model of an endpoint because a person wants it; a cool-down does not hold a person back.

    Args:
        model: a version to try, in place of one that the policy's pipeline trains.
        config: of the release, with its policy; None for that of the one that serves.
        policy: where the config has none.
    Raises: NotFound, NoPolicy, RenewalGoesOn, InvalidInput.
    """
    uow.by.require(Role.OPERATOR)
    rollouts.lock_endpoint(uow, endpoint)
    renewed = _renewed(uow, endpoint, config, policy)
    challenger = models.get(uow, model).ref if model is not None else None
    present = course.active(uow, endpoint)
    if present is not None:
        raise RenewalGoesOn(endpoint=endpoint, renewal=present.id, state=present.state.replace("_", " "))
    why = _reason(reason) or f"asked for by {uow.by.name}"
    state = RenewalState.COLLECTING if challenger is None else RenewalState.PREPARING
    row = course.begin(uow, renewed, cause=Cause.DEMAND, reason=why, state=state)
    row.challenger = challenger
    course.work(uow, row)
    return course.as_renewal(row)


def _renewed(
    uow: UnitOfWork, endpoint: str, config: Mapping[str, Any] | None, policy: Mapping[str, Any] | None
) -> Renewed:
    """What is renewed, and how. Raises: NoPolicy, KindsMixed, InvalidInput."""
    stable = releases.endpoint(uow, endpoint).stable
    if stable is not None and stable.kind != "model":
        raise KindsMixed(endpoint=endpoint, kind=stable.kind, served="model", version="what a renewal makes")
    served = stable.config if stable is not None else {}
    declared = (served if config is None else config).get(renewal_policy.KEY) or policy
    if declared is None:
        raise NoPolicy(endpoint=endpoint)
    renewal_policy.parse(declared)
    champion = stable.serves if stable is not None else None
    return Renewed(endpoint, dict(declared), champion, None if config is None else dict(config))


def approve(uow: UnitOfWork, renewal: str) -> Renewal:
    """Let a challenger that passed its gate go to traffic. Raises: RenewalMissing, RenewalIsOver, NothingToApprove."""
    uow.by.require(Role.OPERATOR)
    row = _waiting(uow, renewal)
    course.tell(uow, row, "approved", f"approved by {uow.by.name}")
    release_challenger(uow, row)
    return course.as_renewal(row)


def reject(uow: UnitOfWork, renewal: str, *, reason: str) -> Renewal:
    """End a renewal that waits for a yes. Raises: RenewalMissing, RenewalIsOver, NothingToApprove, InvalidInput."""
    uow.by.require(Role.OPERATOR)
    said = _reason(reason)
    if not said:
        raise InvalidInput(field="reason", value=reason, wanted="why, as a sentence; it is put on record")
    row = _waiting(uow, renewal)
    course.end(uow, row, RenewalState.REJECTED, f"rejected by {uow.by.name}: {said}")
    return course.as_renewal(row)


def awaiting(uow: UnitOfWork, renewal: str) -> Renewal:
    """A renewal that waits for a yes. Raises: RenewalMissing, RenewalIsOver, NothingToApprove."""
    uow.by.require(Role.VIEWER)
    return course.as_renewal(_waiting(uow, renewal))


def get(uow: UnitOfWork, renewal: str) -> RenewalHistory:
    """Raises: RenewalMissing."""
    uow.by.require(Role.VIEWER)
    row = course.found(uow, renewal)
    query = select(RenewalEventRow).where(RenewalEventRow.renewal == row.id).order_by(RenewalEventRow.seq)
    return RenewalHistory(course.as_renewal(row), tuple(course.as_event(each) for each in uow.session.scalars(query)))


def listed(uow: UnitOfWork, *, endpoint: str | None = None, limit: int = 100) -> list[Renewal]:
    """The newest first."""
    uow.by.require(Role.VIEWER)
    query = select(RenewalRow).order_by(RenewalRow.started_at.desc(), RenewalRow.id.desc())
    if endpoint is not None:
        query = query.where(RenewalRow.endpoint == endpoint)
    return [course.as_renewal(row) for row in uow.session.scalars(query.limit(max(1, min(limit, 1_000))))]


def renewed_release(uow: UnitOfWork, endpoint: str) -> Release | None:
    """What an endpoint serves, when it is a model with a policy of renewal."""
    stable = releases.endpoint(uow, endpoint).stable
    if stable is None or stable.kind != "model" or renewal_policy.of_config(stable.config) is None:
        return None
    return stable


def why_not_now(uow: UnitOfWork, endpoint: str, policy: Policy) -> str | None:
    """Why the policy lets no renewal begin now, as a clause; None when it does."""
    until = cooling_until(uow, endpoint, policy)
    if until is None:
        return None
    ended = until - timedelta(seconds=policy.cool_down_s)
    return f"the last renewal ended at {ended:%Y-%m-%d %H:%M} UTC and its cool-down lasts to {until:%Y-%m-%d %H:%M}"


def cooling_until(uow: UnitOfWork, endpoint: str, policy: Policy) -> datetime | None:
    """When the cool-down of the last renewal ends; None when it is over. A first version cools nothing down."""
    query = select(RenewalRow.finished_at).where(
        RenewalRow.endpoint == endpoint,
        RenewalRow.finished_at.is_not(None),
        RenewalRow.champion.is_not(None),
        RenewalRow.state != RenewalState.SKIPPED,
    )
    ended = uow.session.scalar(query.order_by(RenewalRow.finished_at.desc()).limit(1))
    until = ended + timedelta(seconds=policy.cool_down_s) if ended is not None else None
    return until if until is not None and uow.clock.now() < until else None


def first_wanted(uow: UnitOfWork, endpoint: str) -> Renewed | None:
    """What an endpoint that serves nothing yet is to get, as it was last tried; None where nobody tried."""
    query = select(RenewalRow).where(RenewalRow.endpoint == endpoint, RenewalRow.state != RenewalState.SKIPPED)
    last = uow.session.scalar(query.order_by(RenewalRow.started_at.desc(), RenewalRow.id.desc()).limit(1))
    return None if last is None else Renewed(endpoint, last.policy, None, last.config)


def _waiting(uow: UnitOfWork, renewal: str) -> RenewalRow:
    row = course.locked(uow, renewal)
    state = RenewalState(row.state)
    if state.is_over:
        raise RenewalIsOver(renewal=row.id, state=row.state, said=row.said)
    if state is not RenewalState.AWAITING_APPROVAL:
        raise NothingToApprove(renewal=row.id, state=row.state.replace("_", " "))
    return row


def _reason(text: str) -> str:
    if len(text) > LONGEST_REASON or "\0" in text:
        raise InvalidInput(field="reason", value=text, wanted=f"text of at most {LONGEST_REASON:,} characters")
    return text.strip()
