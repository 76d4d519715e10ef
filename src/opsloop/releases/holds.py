"""Why a rollout may not give its candidate more traffic now: nobody said yes, a freeze, a closed window.

What takes traffic away from a candidate is never held.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from opsloop.core.workspace import UnitOfWork
from opsloop.releases import freezes, windows
from opsloop.releases._tables import ApprovalRow, RolloutRow
from opsloop.releases.models import ApprovalState
from opsloop.releases.plan import Plan


class HoldKind(StrEnum):
    """`ask`: a person has to be asked first; `wait`: for an answer, a thaw or a window; `expired`: nobody answered."""

    ASK = "ask"
    WAIT = "wait"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Hold:
    kind: HoldKind
    sentence: str


def of(uow: UnitOfWork, row: RolloutRow, plan: Plan, place: int) -> Hold | None:
    """What holds a rollout before a place of its plan; None when it may go on."""
    asked = _asked(uow, row, plan, place)
    if asked is not None:
        return asked
    closed = closed_for(uow, row, plan)
    return Hold(HoldKind.WAIT, f"waits: {closed}") if closed else None


def closed_for(uow: UnitOfWork, row: RolloutRow, plan: Plan) -> str:
    """The freeze or the closed windows that hold a rollout, as a sentence; empty when nothing does."""
    if row.override:
        return ""
    now = uow.clock.now()
    if frozen := freezes.holding(uow, row.endpoint):
        return frozen
    if windows.are_open(plan.windows, now):
        return ""
    opening = windows.next_opening(plan.windows, now)
    when = f"the next one opens at {opening:%Y-%m-%d %H:%MZ}" if opening else "none opens within a week"
    return f"outside its windows ({'; '.join(map(str, plan.windows))}); {when}"


def unanswered(uow: UnitOfWork, row: RolloutRow, plan: Plan) -> bool:
    """Whether somebody still has to say yes before the candidate may take over."""
    approved = set(
        uow.session.scalars(
            select(ApprovalRow.place).where(ApprovalRow.rollout == row.id, ApprovalRow.state == ApprovalState.APPROVED)
        )
    )
    passed = row.step if row.has_begun else plan.first_place - 1
    return any(place > passed and place not in approved for place in plan.approval.places)


def newest(uow: UnitOfWork, rollout: str, place: int | None = None) -> ApprovalRow | None:
    """The newest question of a rollout, or of one place of it."""
    query = select(ApprovalRow).where(ApprovalRow.rollout == rollout)
    if place is not None:
        query = query.where(ApprovalRow.place == place)
    return uow.session.scalars(query.order_by(ApprovalRow.asked_at.desc(), ApprovalRow.id.desc())).first()


def _asked(uow: UnitOfWork, row: RolloutRow, plan: Plan, place: int) -> Hold | None:
    if place not in plan.approval.places:
        return None
    found = newest(uow, row.id, place)
    if found is None or found.state == ApprovalState.EXPIRED:
        return Hold(HoldKind.ASK, "waits for approval")
    if found.state == ApprovalState.APPROVED:
        return None
    if found.expires_at <= uow.clock.now():
        return Hold(HoldKind.EXPIRED, f"nobody answered until {found.expires_at:%Y-%m-%d %H:%MZ}; paused")
    return Hold(HoldKind.WAIT, f"waits for approval until {found.expires_at:%Y-%m-%d %H:%MZ}: {found.action}")
