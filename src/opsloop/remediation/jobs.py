"""The durable jobs: propose repairs for an incident, and carry one through to its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog

from opsloop.core.errors import NotFound, Unavailable
from opsloop.core.events.outbox import subscriber
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.registry import JobContext, job
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.incidents.events import IncidentChanged, IncidentClosed, IncidentOpened
from opsloop.remediation import execution, proposing, service
from opsloop.remediation.halts import BELL
from opsloop.remediation.settings import RemediationSettings

log = structlog.get_logger()
NAME = "remediation"
PROPOSE = "remediation.propose"
LATER = timedelta(seconds=60)
"""An incident that names no suspect by then gets proposals too."""
_NEWS = ("suspects", "diagnosis", "reopened")


@subscriber(IncidentOpened, NAME)
def on_opened(uow: UnitOfWork, event: IncidentOpened) -> None:
    after = uow.clock.now() + LATER
    jobs.enqueue(uow, PROPOSE, {"incident": event.incident}, id=f"propose:{event.incident}", run_after=after)


@subscriber(IncidentChanged, NAME)
def on_changed(uow: UnitOfWork, event: IncidentChanged) -> None:
    if event.what in _NEWS:
        jobs.enqueue(uow, PROPOSE, {"incident": event.incident})
    elif event.what == "mitigated":
        service.void(uow, event.incident, "the signals of its incident are over")


@subscriber(IncidentClosed, NAME)
def on_closed(uow: UnitOfWork, event: IncidentClosed) -> None:
    service.void(uow, event.incident, f"its incident was closed as {event.closed_as}")


@job(PROPOSE)
def propose(context: JobContext, payload: dict[str, Any]) -> None:
    """Propose what fits; the same proposals are not made twice."""
    try:
        proposing.propose(context.workspace, payload["incident"])
    except NotFound:  # it was closed so long ago that it is gone
        return


@job(proposing.RUN)
def run(context: JobContext, payload: dict[str, Any]) -> None:
    """Step by step to the end; each step is in the database before the next is taken."""
    workspace, remediation = context.workspace, payload["remediation"]
    tick_s = workspace.section(RemediationSettings).remediation_tick_s
    bell = workspace.bell(BELL)
    while context.patiently(lambda: _step(workspace, remediation)):
        if execution.waits(workspace, remediation):
            bell.wait(timeout_s=tick_s)
        context.yield_back()


def _step(workspace: Workspace, remediation: str) -> bool:
    """The next step; one that breaks leaves a person to look, and not a repair that waits for ever."""
    try:
        return execution.step(workspace, remediation)
    except Unavailable:
        raise
    except Exception as error:  # also a team's own action or check
        log.exception("remediation_broke", remediation=remediation)
        execution.give_up(workspace, remediation, f"it broke, look at the target: {type(error).__name__}: {error}")
        return False
