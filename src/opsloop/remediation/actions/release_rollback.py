"""Leave the release that serves an endpoint, for the one before; the undo lets it serve again."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from opsloop.core.errors import Conflict
from opsloop.core.workspace import UnitOfWork
from opsloop.releases import reversals
from opsloop.releases.errors import NoEarlierRelease
from opsloop.remediation.actions.action import Inside, Parameters
from opsloop.remediation.models import Done, Preview, Reach


class Leaving(Parameters):
    endpoint: str = Field(min_length=1, max_length=63)
    release: int = Field(ge=1, description="number of the release that is left")


class RolloutUnderWay(Conflict):
    template = "endpoint {endpoint} has a rollout under way; it is taken back before the release under it is left"


class ReleaseRollback(Inside[Leaving]):
    kind = "release.rollback"
    form = Leaving
    can_undo = True

    def preview(self, uow: UnitOfWork, parameters: Leaving) -> Preview:
        revision = reversals.revision(uow, parameters.endpoint)
        if not revision.endswith("rollout none"):
            raise RolloutUnderWay(endpoint=parameters.endpoint)
        reversals.check_serves(uow, parameters.endpoint, parameters.release)
        target = reversals.earlier_than_stable(uow, parameters.endpoint)
        if target is None:
            raise NoEarlierRelease(endpoint=parameters.endpoint, number=parameters.release)
        return Preview(
            f"release {target} of {parameters.endpoint} serves everybody again, instead of {parameters.release}",
            revision,
            (f"{parameters.endpoint}: release {parameters.release} for everybody becomes release {target}",),
            Reach(endpoints=1),
        )

    def act(self, uow: UnitOfWork, parameters: Leaving, *, why: str) -> Done:
        target = reversals.earlier_than_stable(uow, parameters.endpoint)
        said = reversals.leave(uow, parameters.endpoint, number=parameters.release, why=why)
        return Done(said, {"serves": target})

    def undo(self, uow: UnitOfWork, parameters: Leaving, known: dict[str, Any], *, why: str) -> str:
        return reversals.reinstate(
            uow, parameters.endpoint, number=parameters.release, instead_of=int(known["serves"]), why=why
        )

    def commands(self, parameters: Leaving) -> tuple[tuple[str, ...], ...]:
        return (
            ("opsloop", "release", "history", parameters.endpoint),
            ("opsloop", "release", "rollback", parameters.endpoint),
        )

    def undo_commands(self, parameters: Leaving) -> tuple[tuple[str, ...], ...]:
        words = ("opsloop", "release", "reinstate", parameters.endpoint, str(parameters.release))
        return ((*words, "--reason", "the release before did not help"),)


ACTION = ReleaseRollback()
