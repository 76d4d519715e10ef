"""The durable job of a renewal: the next piece, found from its state, so that it may begin again at any time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opsloop.core.errors import OpsloopError, Unavailable
from opsloop.core.jobs.registry import JobContext, job
from opsloop.core.workspace import Workspace
from opsloop.releases.renewals import collecting, course, drifted, judging
from opsloop.releases.renewals import subscribers as subscribers  # registers what moves renewals on
from opsloop.releases.renewals.models import RenewalState

PIECES: dict[str, Callable[[Workspace, str], None]] = {
    RenewalState.COLLECTING: collecting.collect,
    RenewalState.PREPARING: judging.prepare,
    RenewalState.JUDGING: judging.judge,
}


@job(course.WORK)
def work(context: JobContext, payload: dict[str, Any]) -> None:
    """Do the next piece; what cannot be done ends the renewal with the reason."""
    renewal: str = payload["renewal"]
    workspace = context.workspace
    with workspace.reading(course.BY) as uow:
        state = course.found(uow, renewal).state
    piece = PIECES.get(state)
    if piece is None:
        return
    try:
        context.patiently(lambda: piece(workspace, renewal))
    except Unavailable:
        raise
    except OpsloopError as error:
        why = error.sentence
        context.patiently(lambda: _give_up(workspace, renewal, state, why))
        raise


@job(drifted.AGAIN)
def look_again(context: JobContext, payload: dict[str, Any]) -> None:
    """An alarm that came in a cool-down, which is over."""
    with context.workspace.writing(course.BY) as uow:
        drifted.heard_again(uow, payload["alarm"])


def _give_up(workspace: Workspace, renewal: str, state: str, why: str) -> None:
    with workspace.writing(course.BY) as uow:
        row = course.locked(uow, renewal)
        if row.state == state:
            course.end(uow, row, RenewalState.REJECTED, f"while {state}: {why}")
