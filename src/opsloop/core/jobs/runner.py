"""Run jobs in this process: claims what is due, hands it to the durable engine, fires schedules, drains at the end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from opsloop.core.jobs import schedules
from opsloop.core.jobs._execution import any_due, claim_due, execute, running
from opsloop.core.workspace import Workspace

if TYPE_CHECKING:
    from opsloop.core.jobs._durable import Engine

log = structlog.get_logger()
LOOK_EVERY_S = 1.0
DRAIN_S = 15.0


class JobRunner:
    """A thread that starts jobs as they come.

    `start` returns at once; the engine is loaded in the thread, so that a server is ready before its jobs are. Jobs
    of a process that was killed go on at the next start: DBOS recovers their workflows.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._stopping = threading.Event()
        self._active: set[str] = set()
        self._idle = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask running jobs to stop at their next safe point, and wait for them."""
        self._stopping.set()
        self._workspace.bell("jobs").ring()
        self._workspace.bell("records").ring()
        self._thread.join(timeout=DRAIN_S)

    def _run(self) -> None:
        from opsloop.core.jobs._durable import Engine  # 0.6 s: not before the server answers

        engine = Engine(self._workspace, self._execute)
        for job_id, attempt in running(self._workspace):
            engine.start(job_id, attempt)  # claimed before a crash, and perhaps not handed over
        bell = self._workspace.bell("jobs")
        while not self._stopping.is_set():
            try:
                self._start_due(engine)
            except Exception:  # a process rim: the database may be away for a while
                log.exception("job_claim_failed")
            bell.wait(timeout_s=LOOK_EVERY_S)
        with self._idle:
            self._idle.wait_for(lambda: not self._active, timeout=DRAIN_S)
        engine.stop()

    def _start_due(self, engine: Engine) -> None:
        schedules.fire_due(self._workspace)
        if any_due(self._workspace):
            for job_id, attempt in claim_due(self._workspace):
                engine.start(job_id, attempt)

    def _execute(self, job_id: str) -> None:
        with self._idle:
            if job_id in self._active:
                return
            self._active.add(job_id)
        try:
            execute(self._workspace, job_id, stopping=self._stopping)
        finally:
            with self._idle:
                self._active.discard(job_id)
                self._idle.notify_all()
