"""Alarms end with the release that they are about: the next one is watched anew."""

from __future__ import annotations

from opsloop.core.events.outbox import subscriber
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring import closing
from opsloop.releases.events import EndpointReinstated, EndpointRolledBack, RolloutPromoted, RolloutRolledBack


@subscriber(RolloutPromoted, "alarms of the replaced release")
def after_promotion(uow: UnitOfWork, event: RolloutPromoted) -> None:
    if event.replaced is not None:
        closing.end_of_release(uow, event.endpoint, event.replaced, reason="another release serves: it was promoted")


@subscriber(RolloutRolledBack, "alarms of the candidate")
def after_rollback_of_candidate(uow: UnitOfWork, event: RolloutRolledBack) -> None:
    closing.end_of_release(uow, event.endpoint, event.release, reason="the candidate was taken back")


@subscriber(EndpointRolledBack, "alarms of the replaced release")
def after_rollback(uow: UnitOfWork, event: EndpointRolledBack) -> None:
    closing.end_of_release(uow, event.endpoint, event.replaced, reason="the endpoint went back to an earlier release")


@subscriber(EndpointReinstated, "alarms of the replaced release")
def after_reinstatement(uow: UnitOfWork, event: EndpointReinstated) -> None:
    if event.replaced:
        closing.end_of_release(
            uow, event.endpoint, event.replaced, reason="the release that had been left serves again"
        )
