"""Whether repairs are halted: every page says so while they are."""

from __future__ import annotations

import structlog
from fastapi import Request

from opsloop.core.caller import system
from opsloop.core.errors import OpsloopError
from opsloop.core.web.dependencies import Opened
from opsloop.remediation import halts

log = structlog.get_logger()
BY = system("console")


def note_halt(request: Request, workspace: Opened) -> None:
    """A dependency of every page; its own short transaction is over before that of the page begins."""
    if request.method != "GET":
        return
    try:
        with workspace.reading(BY) as uow:
            request.state.halt = halts.present(uow)
    except OpsloopError as error:  # the page itself says what is wrong with the database
        log.warning("halt_not_looked_up", error=error.sentence)
