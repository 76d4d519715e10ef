"""Keep the share of a rollout where it is while people look; the undo lets it go on."""

from __future__ import annotations

from typing import Any

from opsloop.core.workspace import UnitOfWork
from opsloop.releases import reversals, rollouts
from opsloop.releases.errors import NotRunning
from opsloop.releases.models import RolloutStatus
from opsloop.remediation.actions.action import Inside
from opsloop.remediation.actions.rollout_take_back import RolloutOver, TakingBack
from opsloop.remediation.models import Done, Preview, Reach


class RolloutPause(Inside[TakingBack]):
    kind = "rollout.pause"
    form = TakingBack
    can_undo = True

    def preview(self, uow: UnitOfWork, parameters: TakingBack) -> Preview:
        found = rollouts.get(uow, parameters.rollout).rollout
        if found.status.is_over:
            raise RolloutOver(rollout=found.id, status=found.status.value.replace("_", " "))
        if found.status is RolloutStatus.PAUSED:
            raise NotRunning(rollout=found.id, status=found.status)
        return Preview(
            f"release {found.number} of {found.endpoint} keeps its share of {100 * found.share:g} %",
            reversals.revision(uow, found.endpoint),
            (f"{found.endpoint}: the rollout of release {found.number} takes no further step",),
            Reach(endpoints=1),
        )

    def act(self, uow: UnitOfWork, parameters: TakingBack, *, why: str) -> Done:
        held = rollouts.pause(uow, parameters.rollout)
        return Done(f"the rollout of release {held.number} of {held.endpoint} is paused, {why}", {"rollout": held.id})

    def undo(self, uow: UnitOfWork, parameters: TakingBack, known: dict[str, Any], *, why: str) -> str:
        resumed = rollouts.resume(uow, parameters.rollout)
        return f"the rollout of release {resumed.number} of {resumed.endpoint} goes on, {why}"

    def commands(self, parameters: TakingBack) -> tuple[tuple[str, ...], ...]:
        return (("opsloop", "release", "pause", parameters.endpoint),)

    def undo_commands(self, parameters: TakingBack) -> tuple[tuple[str, ...], ...]:
        return (("opsloop", "release", "resume", parameters.endpoint),)


ACTION = RolloutPause()
