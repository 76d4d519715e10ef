"""Jobs that make vectors, after documents came in and for a changeover; they try again when the embedder was away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog

from opsloop.core.caller import system
from opsloop.core.errors import Unavailable
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.registry import JobContext, job
from opsloop.rag.vectors import changeovers
from opsloop.rag.vectors.changeovers import CHANGE_OVER
from opsloop.rag.vectors.indexing import EMBED

log = structlog.get_logger()
DELAYS_S = (5, 30, 120, 600, 3_600)
"""How long after each attempt that failed the next one is made; after the last, `reindex` asks again."""
_BY = system("documents")


@job(EMBED)
def embed(context: JobContext, payload: dict[str, Any]) -> None:
    """Raises: EmbedderAway, EmbedderDiffers after the last attempt."""
    from opsloop.rag.vectors import embedding  # numpy: only where vectors are made

    collection = str(payload["collection"])
    try:
        embedding.embed(context.workspace, collection, _teller(context))
    except Unavailable as away:
        if not _goes_on(context, EMBED, payload, away):
            raise


@job(CHANGE_OVER)
def change_over(context: JobContext, payload: dict[str, Any]) -> None:
    """Raises: EmbedderAway after the last attempt, EmbedderUnsteady; the changeover is given up then."""
    from opsloop.rag.vectors import changing_over, embedders  # as above

    collection, id = str(payload["collection"]), str(payload["changeover"])
    try:
        changing_over.change_over(context.workspace, collection, id, _teller(context))
    except Unavailable as away:
        steady = not isinstance(away, embedders.EmbedderUnsteady)
        if steady and _goes_on(context, CHANGE_OVER, payload, away):
            return
        sentence = away.sentence
        context.patiently(lambda: _give_up(context, collection, id, sentence))
        raise


def _teller(context: JobContext) -> Callable[[int, int], None]:
    def told(done: int, total: int) -> None:
        context.progress(done, total, "embedding")
        context.yield_back()

    return told


def _goes_on(context: JobContext, kind: str, payload: dict[str, Any], away: Unavailable) -> bool:
    """Have the work tried again later, unless it was tried often enough."""
    attempt = int(payload.get("attempt", 1))
    if attempt > len(DELAYS_S):
        return False
    log.warning("collection_not_embedded_yet", collection=payload["collection"], attempt=attempt, error=away.sentence)
    context.patiently(lambda: _again(context, kind, {**payload, "attempt": attempt + 1}))
    return True


def _again(context: JobContext, kind: str, payload: dict[str, Any]) -> None:
    with context.workspace.writing(_BY) as uow:
        later = uow.clock.now() + timedelta(seconds=DELAYS_S[payload["attempt"] - 2])
        jobs.enqueue(uow, kind, payload, id=f"{context.job_id}_{payload['attempt']}", run_after=later)


def _give_up(context: JobContext, collection: str, id: str, error: str) -> None:
    with context.workspace.writing(_BY) as uow:
        changeovers.give_up(uow, collection, id, error)
