"""Where the documents of an ingest are read: in this process, or on Ray when that is set."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import structlog

from opsloop.core.compute.settings import ComputeSettings
from opsloop.core.errors import OpsloopError
from opsloop.rag.ingests.on_ray import on_ray
from opsloop.rag.ingests.readers import Here, Readers

log = structlog.get_logger()
WORTH_RAY = 20
"""Documents for which Ray is started, or connected to: that takes seconds."""
# A process is connected to Ray once; what is taken in at the same time is read here.
_connected = threading.Lock()


@contextmanager
def readers_for(settings: ComputeSettings, documents: int) -> Iterator[Readers]:
    """What reads while the block runs. Ray only makes reading faster: when it is away, this process reads."""
    with ExitStack() as stack:
        yield _chosen(settings, documents, stack)


def _chosen(settings: ComputeSettings, documents: int, stack: ExitStack) -> Readers:
    if settings.compute == "local" or documents < WORTH_RAY or not _connected.acquire(blocking=False):
        return Here()
    stack.callback(_connected.release)
    try:
        return stack.enter_context(on_ray(settings))
    except OpsloopError as error:  # what was acknowledged is stored, whatever is wrong with Ray
        log.warning("documents_read_here", error=error.sentence)
        return Here()
