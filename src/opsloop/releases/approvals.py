"""Approvals: a rollout asks, a person answers, and the answer names what was shown.

A question is asked once its step has passed, with the evidence of that moment. Meanwhile the analysis goes on: a yes
lets the rollout take the step only if it is still to be taken, and a candidate that turns out worse is taken back
whoever was asked.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import rfc8785
from sqlalchemy import select

from opsloop.core.artifacts.store import sha256_hex
from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.releases import holds, rollouts
from opsloop.releases._tables import ApprovalRow, ReleaseRow, RolloutRow
from opsloop.releases.errors import AnotherShown, ApprovalExpired, FourEyes, NothingToApprove
from opsloop.releases.events import RolloutNeedsApproval
from opsloop.releases.models import Approval, ApprovalState, Rollout, RolloutStatus
from opsloop.releases.plan import from_stored

LONGEST_REASON = 1_000
LISTED = 200


def waiting(uow: UnitOfWork) -> list[Approval]:
    """What waits for somebody, the oldest question first."""
    uow.by.require(Role.VIEWER)
    query = select(ApprovalRow).where(ApprovalRow.state == ApprovalState.WAITING)
    return [
        rollouts.as_approval(row) for row in uow.session.scalars(query.order_by(ApprovalRow.asked_at).limit(LISTED))
    ]


def approve(uow: UnitOfWork, rollout: str, *, digest: str, reason: str = "") -> Rollout:
    """Say yes to what was shown.

    Raises: NotFound, RolloutIsOver, NothingToApprove, ApprovalExpired, AnotherShown, FourEyes.
    """
    row, question = _question(uow, rollout, digest)
    release = uow.session.get_one(ReleaseRow, row.release)
    if from_stored(row.plan).approval.four_eyes and release.created_by == uow.by.name:
        raise FourEyes(caller=uow.by.name, number=row.number, endpoint=row.endpoint)
    _answer(uow, question, ApprovalState.APPROVED, reason)
    why = f": {question.reason}" if question.reason else ""
    rollouts.note(uow, row, "approved", f"{question.action}, approved by {uow.by.name}{why}", approval=digest)
    return rollouts.as_rollout(row)


def reject(uow: UnitOfWork, rollout: str, *, digest: str, reason: str) -> Rollout:
    """Say no: the candidate is taken back.

    Raises: InvalidInput, NotFound, RolloutIsOver, NothingToApprove, ApprovalExpired, AnotherShown.
    """
    if not reason.strip():
        raise InvalidInput(field="reason", value=reason, wanted="why, for the record")
    row, question = _question(uow, rollout, digest)
    _answer(uow, question, ApprovalState.REJECTED, reason)
    said = f"{question.action}, rejected by {uow.by.name}: {question.reason}"
    rollouts.note(uow, row, "rejected", said, approval=digest)
    rollouts.take_back(uow, row, reason=said)
    return rollouts.as_rollout(row)


def ask(uow: UnitOfWork, row: RolloutRow, place: int, *, sentence: str) -> None:
    """Put the question before a place of the plan; the caller holds the endpoint's row."""
    plan = from_stored(row.plan)
    now = uow.clock.now()
    action = _action(row, place)
    shown = {
        "action": action,
        "sentence": sentence,
        "endpoint": row.endpoint,
        "rollout": row.id,
        "release": uow.session.get_one(ReleaseRow, row.release).digest,
        "number": row.number,
        "stable_number": row.stable_number,
        "share": row.share,
        "plan": row.plan,
        "evidence": rollouts.summary(row.evidence),
    }
    uow.session.add(
        ApprovalRow(
            id=uow.ids.new("approval"),
            rollout=row.id,
            endpoint=row.endpoint,
            place=place,
            action=action,
            state=ApprovalState.WAITING,
            sentence=sentence,
            shown=shown,
            digest=_digest(shown),
            asked_at=now,
            expires_at=now + timedelta(seconds=plan.approval.expires_s),
            decided_at=None,
            decided_by=None,
            reason="",
        )
    )
    row.reason = f"waits for approval: {action}"
    uow.emit(RolloutNeedsApproval(row.id, row.endpoint, row.release, f"{action}; {sentence}"))
    rollouts.note(uow, row, "awaiting_approval", f"{action}; {sentence}", approval=_digest(shown))


def expire(uow: UnitOfWork, row: RolloutRow, *, sentence: str) -> None:
    """Nobody answered: the rollout is paused, and asks again once it is resumed."""
    found = holds.newest(uow, row.id)
    if found is not None and found.state == ApprovalState.WAITING:
        found.state = ApprovalState.EXPIRED
    row.status, row.reason = RolloutStatus.PAUSED, sentence
    rollouts.note(uow, row, "expired", sentence)


def _question(uow: UnitOfWork, rollout: str, digest: str) -> tuple[RolloutRow, ApprovalRow]:
    uow.by.require(Role.OPERATOR)
    row = rollouts.locked(uow, rollout)
    found = holds.newest(uow, rollout)
    if found is None or found.state in (ApprovalState.APPROVED, ApprovalState.REJECTED, ApprovalState.VOID):
        raise NothingToApprove(rollout=rollout, status=row.status)
    if found.state == ApprovalState.EXPIRED or found.expires_at <= uow.clock.now():
        raise ApprovalExpired(number=row.number, endpoint=row.endpoint, at=f"{found.expires_at:%Y-%m-%d %H:%MZ}")
    if found.digest != digest:
        raise AnotherShown(rollout=rollout, digest=digest[:16])
    return row, found


def _answer(uow: UnitOfWork, question: ApprovalRow, state: ApprovalState, reason: str) -> None:
    if len(reason) > LONGEST_REASON:
        raise InvalidInput(field="reason", value=reason, wanted=f"at most {LONGEST_REASON} characters")
    question.state, question.reason = state, reason.strip()
    question.decided_at, question.decided_by = uow.clock.now(), uow.by.name


def _action(row: RolloutRow, place: int) -> str:
    plan = from_stored(row.plan)
    name = f"release {row.number} of {row.endpoint}"
    if place < 0 and plan.shadow is not None:
        return f"copy {100 * plan.shadow.sample:g} % of requests to {name}"
    if place >= plan.last_place or row.stable is None:
        return f"let {name} serve everybody"
    return f"give {name} {100 * plan.steps[place].share:g} % of users"


def _digest(shown: dict[str, Any]) -> str:
    return sha256_hex(rfc8785.dumps(shown))
