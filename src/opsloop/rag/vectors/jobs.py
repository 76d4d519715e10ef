"""The job that makes vectors after documents came in; it tries again while the embedder is away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog

from opsloop.core.caller import system
from opsloop.core.errors import Unavailable
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.registry import JobContext, job
from opsloop.rag.vectors.indexing import EMBED

log = structlog.get_logger()
DELAYS_S = (5, 30, 120, 600, 3_600)
"""How long after each attempt that failed the next one is made; after the last, `reindex` asks again."""
_BY = system("documents")


@job(EMBED)
def embed(context: JobContext, payload: dict[str, Any]) -> None:
    """Raises: EmbedderAway, EmbedderDiffers after the last attempt."""
    from opsloop.rag.vectors import embedding  # numpy: only where vectors are made

    collection, attempt = str(payload["collection"]), int(payload.get("attempt", 1))

    def told(done: int, total: int) -> None:
        context.progress(done, total, "embedding")
        context.yield_back()

    try:
        embedding.embed(context.workspace, collection, told)
    except Unavailable as away:
        if attempt > len(DELAYS_S):
            raise
        log.warning("collection_not_embedded_yet", collection=collection, attempt=attempt, error=away.sentence)
        context.patiently(lambda: _again(context, collection, attempt))


def _again(context: JobContext, collection: str, attempt: int) -> None:
    with context.workspace.writing(_BY) as uow:
        later = uow.clock.now() + timedelta(seconds=DELAYS_S[attempt - 1])
        following = {"collection": collection, "attempt": attempt + 1}
        jobs.enqueue(uow, EMBED, following, id=f"{context.job_id}_{attempt + 1}", run_after=later)
