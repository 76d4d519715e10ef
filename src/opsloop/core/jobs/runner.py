"""Run jobs in this process: claims what is due, hands it to the durable engine, fires schedules, drains at the end."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from opsloop.core.db.turn import Turn
from opsloop.core.jobs import schedules
from opsloop.core.jobs._execution import any_due, claim_due, claim_running, execute
from opsloop.core.telemetry.trouble import Trouble
from opsloop.core.workspace import Workspace

if TYPE_CHECKING:
    from opsloop.core.jobs._durable import Engine

LOOK_EVERY_S = 1.0
DRAIN_S = 15.0


class JobRunner:
    """A thread that starts jobs as they come.

    `start` returns at once. The engine is loaded when the first job is there to run: an idle platform does without its
    memory, and a server is ready before its jobs are. Jobs of a process that was killed go on at the next start.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._stopping = threading.Event()
        self._active: set[str] = set()
        self._idle = threading.Condition()
        self._engine: Engine | None = None
        self._turn = Turn(workspace.database, "jobs")
        self._has_gone_on = False
        # Claimed and not handed to the engine yet: what it could not take is tried again.
        self._claimed: deque[tuple[str, int]] = deque()
        self._troubles = defaultdict[str, Trouble](lambda: Trouble("jobs_not_started"))
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
        bell = self._workspace.bell("jobs")
        while not self._stopping.is_set():
            self.look()
            bell.wait(timeout_s=LOOK_EVERY_S)
        with self._idle:
            self._idle.wait_for(lambda: not self._active, timeout=DRAIN_S)
        if self._engine is not None:
            self._engine.stop()
        self._turn.give_back()

    def look(self) -> None:
        """Claim what is due and hand it to the engine; what fails is tried again at the next look."""
        self._guarded(self._take_turn)

    def _take_turn(self) -> None:
        """One process of an installation runs the jobs; another takes over when that one ends."""
        if not self._turn.is_mine():
            self._has_gone_on = False  # once it is ours, the other's jobs are taken over
            return
        self._guarded(self._go_on)
        self._guarded(self._claim_due)
        self._guarded(self._start_claimed)

    def _guarded(self, step: Callable[[], None]) -> None:
        with self._troubles[step.__name__].told():
            step()

    def _go_on(self) -> None:
        """Take over what was running when the process before this one ended; tried until the database has told."""
        if not self._has_gone_on:
            self._claimed.extend(claim_running(self._workspace))
            self._has_gone_on = True

    def _claim_due(self) -> None:
        schedules.fire_due(self._workspace)
        if not self._claimed and any_due(self._workspace):
            self._claimed.extend(claim_due(self._workspace))

    def _start_claimed(self) -> None:
        """An engine that takes nothing is ended, so that the next look begins with a new one."""
        while self._claimed:
            engine = self._engine_loaded()
            try:
                engine.start(*self._claimed[0])
            except Exception:
                self._engine = None
                engine.stop(is_broken=True)
                raise
            self._claimed.popleft()

    def _engine_loaded(self) -> Engine:
        if self._engine is None:
            from opsloop.core.jobs._durable import Engine  # 0.6 s and 25 MB: only where jobs run

            self._engine = Engine(self._workspace, self._execute)
        return self._engine

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
