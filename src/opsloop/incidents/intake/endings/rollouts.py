"""A candidate that was taken back is over when a later one of the endpoint took over."""

from __future__ import annotations

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.intake.ending import Ending
from opsloop.incidents.models import Signal
from opsloop.releases import rollouts
from opsloop.releases.models import RolloutStatus

LOOKED_AT = 20


def _why(uow: UnitOfWork, signal: Signal) -> str | None:
    if not signal.subject.endpoint:
        return None
    for rollout in rollouts.listed(uow, signal.subject.endpoint, limit=LOOKED_AT):
        is_later = rollout.finished_at is not None and rollout.finished_at > signal.seen_at
        if is_later and rollout.status is RolloutStatus.PROMOTED:
            return f"release {rollout.number} took over at {signal.subject.endpoint}"
    return None


ENDING = Ending(("rollout",), _why)
