"""The jobs that keep stores current: after each change of a collection, and after its deletion.

While a store is away they try again, at last once an hour and without end: what was deleted has to go from a store
however long that was away. Who gives a store up cancels the job, or deletes the collection's copy by other means.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import structlog

from opsloop.core.caller import system
from opsloop.core.errors import Unavailable
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.registry import JobContext, job
from opsloop.rag._copies import COPY, DROP
from opsloop.rag.stores import copying

log = structlog.get_logger()
DELAYS_S = (5, 30, 120, 600, 3_600)
"""How long after each attempt that failed the next one is made; the last one again and again."""
_BY = system("documents")


@job(COPY)
def copy(context: JobContext, payload: dict[str, Any]) -> None:
    def told(done: int, total: int) -> None:
        context.progress(done, total, "copying to the store")
        context.yield_back()

    collection = str(payload["collection"])
    try:
        copying.copy(context.workspace, collection, told)
    except Unavailable as away:
        _later(context, COPY, payload, away)


@job(DROP)
def drop(context: JobContext, payload: dict[str, Any]) -> None:
    try:
        copying.drop(context.workspace, str(payload["collection"]), str(payload["store"]))
    except Unavailable as away:
        _later(context, DROP, payload, away)


def _later(context: JobContext, kind: str, payload: dict[str, Any], away: Unavailable) -> None:
    attempt = int(payload.get("attempt", 1))
    log.warning("store_not_current_yet", kind=kind, attempt=attempt, error=away.sentence, **_named(payload))
    context.patiently(lambda: _again(context, kind, payload, attempt))


def _again(context: JobContext, kind: str, payload: dict[str, Any], attempt: int) -> None:
    """One next attempt, in which those of all jobs for the same thing that failed meanwhile are one."""
    delay_s = DELAYS_S[min(attempt, len(DELAYS_S)) - 1]
    with context.workspace.writing(_BY) as uow:
        turn = int(uow.clock.now().timestamp() // delay_s) + 1
        id = "_".join([kind, *_named(payload).values(), str(delay_s), str(turn)])
        later = datetime.fromtimestamp(turn * delay_s, UTC)
        jobs.enqueue(uow, kind, {**payload, "attempt": attempt + 1}, id=id, run_after=later)


def _named(payload: dict[str, Any]) -> dict[str, str]:
    return {key: str(payload[key]) for key in ("collection", "store") if key in payload}
