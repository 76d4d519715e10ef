"""Recalls: what a release serves is served nowhere any more, from now on.

A recall is about the content, by its digest: every release of every endpoint that serves it, whatever its config.
"""

from __future__ import annotations

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.models import service as models
from opsloop.releases import going_back, rollouts, routing
from opsloop.releases._tables import EndpointRow, RecallRow, ReleaseRow
from opsloop.releases.errors import Recalled, RecalledAlready
from opsloop.releases.events import ReleaseRecalled
from opsloop.releases.models import Recall, RecallEffect

LONGEST_REASON = 1_000


def recall(uow: UnitOfWork, release: str, *, reason: str) -> Recall:
    """Take what a release serves out of every endpoint, and let none serve it again.

    An endpoint goes back to the newest release before that may serve; one without any serves nothing.

    Raises: NotFound, InvalidInput, RecalledAlready.
    """
    uow.by.require(Role.OPERATOR)
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise InvalidInput(field="reason", value=reason, wanted=f"why, in 1 to {LONGEST_REASON} characters")
    row = uow.session.get(ReleaseRow, release)
    if row is None:
        raise NotFound(noun="release", name=release)
    # Every endpoint is held: a release that is being made is seen here, or sees the recall.
    names = list(uow.session.scalars(select(EndpointRow.name).order_by(EndpointRow.name)))
    endpoints = [rollouts.lock_endpoint(uow, name) for name in names]
    if (there := uow.session.get(RecallRow, row.serves_digest)) is not None:
        raise RecalledAlready(version=there.serves, by=there.recalled_by, reason=there.reason)
    kept = RecallRow(
        serves_digest=row.serves_digest,
        serves=row.serves,
        release=row.id,
        reason=reason.strip(),
        recalled_at=uow.clock.now(),
        recalled_by=uow.by.name,
    )
    uow.session.add(kept)
    uow.session.flush()
    why = f"{row.serves} was recalled by {uow.by.name}: {kept.reason}"
    effects = [
        effect for endpoint in endpoints if (effect := _leave(uow, endpoint, row.serves_digest, why)) is not None
    ]
    uow.audit(
        "release.recalled",
        f"endpoint/{row.endpoint}",
        release=row.id,
        serves=row.serves,
        digest=row.serves_digest,
        reason=kept.reason,
        effects=[f"{each.endpoint}: {each.sentence}" for each in effects],
    )
    uow.emit(ReleaseRecalled(row.id, row.serves, kept.reason, [each.endpoint for each in effects]))
    return Recall(row.serves, kept.reason, kept.recalled_by, kept.recalled_at, tuple(effects))


def check(uow: UnitOfWork, serves_digest: str, version: str) -> None:
    """Raises: Recalled."""
    found = uow.session.get(RecallRow, serves_digest)
    if found is not None:
        raise Recalled(version=version, by=found.recalled_by, reason=found.reason)


def _leave(uow: UnitOfWork, endpoint: EndpointRow, digest: str, why: str) -> RecallEffect | None:
    """Have one endpoint serve it no more; what that took, None when it did not serve it."""
    stable = uow.session.get(ReleaseRow, endpoint.stable) if endpoint.stable else None
    serves_it = stable is not None and stable.serves_digest == digest
    said = _stop_rollout(uow, endpoint, digest, why, is_stable=serves_it)
    if stable is None or not serves_it:
        return RecallEffect(endpoint.name, said) if said else None
    target = going_back.target_of(uow, endpoint)
    if target is not None:
        return RecallEffect(endpoint.name, going_back.go_back(uow, endpoint, target, why=why))
    _withdraw(uow, endpoint, stable, why)
    return RecallEffect(endpoint.name, f"serves nothing: release {stable.number} has none before it that may serve")


def _stop_rollout(uow: UnitOfWork, endpoint: EndpointRow, digest: str, why: str, *, is_stable: bool) -> str:
    present = rollouts.active(uow, endpoint.name)
    if present is None:
        return ""
    if uow.session.get_one(ReleaseRow, present.release).serves_digest == digest:
        rollouts.take_back(uow, present, reason=why)
    elif is_stable:
        rollouts.give_up(uow, present, reason=f"its stable release is gone: {why}")
    else:
        return ""
    return f"release {present.number} gets no traffic any more"


def _withdraw(uow: UnitOfWork, endpoint: EndpointRow, stable: ReleaseRow, why: str) -> None:
    endpoint.stable, endpoint.earlier = None, []
    stable.left_for = why
    if stable.kind == "model" and models.CHAMPION in (found := models.get(uow, stable.serves)).aliases:
        models.drop_alias(uow, found.name, models.CHAMPION)
    routing.bump(uow)
    rollouts.note_taken_back(uow, stable.id, why)
