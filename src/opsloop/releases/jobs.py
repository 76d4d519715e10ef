"""The durable job behind every rollout with steps."""

from __future__ import annotations

from typing import Any

import structlog

from opsloop.core.errors import Unavailable
from opsloop.core.jobs.registry import Again, JobContext, job
from opsloop.core.workspace import Workspace
from opsloop.monitoring.records import BELL
from opsloop.releases import rollouts
from opsloop.releases.driver import BY, Driver
from opsloop.releases.models import RolloutStatus
from opsloop.releases.moves import Move, MoveKind
from opsloop.releases.settings import RolloutSettings

log = structlog.get_logger()


@job(rollouts.DRIVE)
def drive(context: JobContext, payload: dict[str, Any]) -> None:
    """Look at a rollout whenever records come in, and at least every tick, until it is over."""
    rollout: str = payload["rollout"]
    try:
        _drive(context, rollout)
    except Again:
        raise
    except Exception as error:
        # Whatever stopped the driver, also a cancelled job: nobody watches the candidate now, so it gets no traffic.
        reason = f"its driver stopped ({type(error).__name__}: {error}); nobody watched it"
        log.exception("rollout_driver_failed", rollout=rollout)
        context.patiently(lambda: _give_up(context.workspace, rollout, reason))
        raise


def _drive(context: JobContext, rollout: str) -> None:
    workspace = context.workspace
    tick_s = workspace.section(RolloutSettings).rollout_tick_s
    bell = workspace.bell(BELL)
    driver = context.patiently(lambda: Driver.of(workspace, rollout))
    told = 0
    while (move := _tick(driver, workspace)) is None or move.kind is not MoveKind.END:
        if move is not None and driver.stored > told:
            told = driver.stored
            context.progress(driver.step, len(driver.watch.plan.steps), move.sentence)
        bell.wait(timeout_s=tick_s)
        context.yield_back()


def _tick(driver: Driver, workspace: Workspace) -> Move | None:
    """None while the database is away: the share stays, and so does the candidate's watch, until it is back."""
    try:
        return driver.tick(workspace)
    except Unavailable as error:
        log.warning("rollout_waits_for_database", rollout=driver.rollout, error=error.sentence)
        return None


def _give_up(workspace: Workspace, rollout: str, reason: str) -> None:
    with workspace.writing(BY) as uow:
        row = rollouts.found(uow, rollout)
        rollouts.lock_endpoint(uow, row.endpoint)
        uow.session.refresh(row)
        if not RolloutStatus(row.status).is_over:
            rollouts.give_up(uow, row, reason=reason)
