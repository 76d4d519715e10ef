"""Kinds of jobs: a function per kind, registered by name.

A handler may be started again from its beginning after a crash, so it must be idempotent: it looks in the state
database how far the work is and goes on from there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from opsloop.core.errors import InvalidInput, Unavailable

if TYPE_CHECKING:
    from opsloop.core.workspace import Workspace

log = structlog.get_logger()
T = TypeVar("T")
RETRY_S = 1.0


class Again(Exception):
    """Raised by a handler that stops early on request; the job continues at the next start."""


class JobContext:
    """What a handler gets: the workspace, a way to tell progress, and a wish to stop."""

    def __init__(
        self,
        workspace: Workspace,
        job_id: str,
        *,
        stopping: threading.Event,
        progress: Callable[[int, int, str], None],
    ) -> None:
        self.workspace = workspace
        self.job_id = job_id
        self.stopping = stopping
        self._progress = progress

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Tell how far the job is; cheap to call often, written at most every quarter of a second."""
        self._progress(done, total, message)

    def yield_back(self) -> None:
        """Stop here when the process is draining; the job continues after the next start."""
        if self.stopping.is_set():
            raise Again

    def patiently(self, step: Callable[[], T]) -> T:
        """Do what must not be left undone, such as storing how the work ended, however long the database is away.

        Raises: Again when the process drains meanwhile; the job then goes on at the next start.
        """
        while True:
            try:
                return step()
            except Unavailable as error:
                log.warning("job_waits_for_database", job=self.job_id, error=error.sentence)
            self.stopping.wait(RETRY_S)
            self.yield_back()


Handler = Callable[[JobContext, dict[str, Any]], None]
_HANDLERS: dict[str, Handler] = {}


def job(kind: str) -> Callable[[Handler], Handler]:
    """Register a handler for jobs of a kind, e.g. `evaluation.run`."""

    def register(handler: Handler) -> Handler:
        _HANDLERS[kind] = handler
        return handler

    return register


def handler_of(kind: str) -> Handler:
    if kind not in _HANDLERS:
        raise InvalidInput(field="job kind", value=kind, wanted=f"one of {', '.join(sorted(_HANDLERS)) or 'none'}")
    return _HANDLERS[kind]
