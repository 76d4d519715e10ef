"""Take the candidate of a rollout back, so that stable serves everybody."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.errors import Conflict
from opsloop.core.workspace import UnitOfWork
from opsloop.releases import reversals, rollouts
from opsloop.remediation.actions.action import Inside, Parameters
from opsloop.remediation.models import Done, Preview, Reach


class TakingBack(Parameters):
    endpoint: str = Field(min_length=1, max_length=63)
    rollout: str = Field(min_length=1, max_length=100)


class RolloutOver(Conflict):
    template = "rollout {rollout} is {status}; nothing is to be taken back"


class RolloutTakeBack(Inside[TakingBack]):
    kind = "rollout.take_back"
    form = TakingBack

    def preview(self, uow: UnitOfWork, parameters: TakingBack) -> Preview:
        found = rollouts.get(uow, parameters.rollout).rollout
        if found.status.is_over:
            raise RolloutOver(rollout=found.id, status=found.status.value.replace("_", " "))
        line = f"{found.endpoint}: {100 * found.share:g} % of users leave release {found.number} for stable"
        return Preview(
            f"release {found.number} of {found.endpoint} gets no traffic any more",
            reversals.revision(uow, found.endpoint),
            (line,),
            Reach(endpoints=1),
        )

    def act(self, uow: UnitOfWork, parameters: TakingBack, *, why: str) -> Done:
        taken = rollouts.roll_back(uow, parameters.rollout)
        return Done(f"release {taken.number} of {taken.endpoint} was taken back, {why}")

    def commands(self, parameters: TakingBack) -> tuple[tuple[str, ...], ...]:
        return (
            ("opsloop", "release", "history", parameters.endpoint),
            ("opsloop", "release", "rollback", parameters.endpoint),
        )


ACTION = RolloutTakeBack()
