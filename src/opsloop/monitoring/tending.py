"""What nobody's request asks for: join labels that came early, count them into the tests, count records, let go of old
predictions and texts, and of cases that were closed long ago.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from opsloop.core.caller import system
from opsloop.core.telemetry.trouble import Trouble
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.guardrails.support import service as support
from opsloop.monitoring.alerts import evaluating, intake
from opsloop.monitoring.labels import counting
from opsloop.monitoring.labels import service as labels
from opsloop.monitoring.objectives import tallying
from opsloop.monitoring.outages import Outages
from opsloop.monitoring.performance import testing
from opsloop.monitoring.predictions.pruning import prune
from opsloop.monitoring.settings import MonitoringSettings
from opsloop.monitoring.telemetry import pruning as telemetry
from opsloop.monitoring.texts.service import prune as prune_texts

BY = system("monitoring")
TICK_S = 2.0
PRUNE_EVERY_S = 600.0
SHOW_EVERY_S = 60.0


class Source(Protocol):
    """What else is counted into the tallies, by slices above this one."""

    def any_uncounted(self, uow: UnitOfWork) -> bool: ...

    def advance(self, uow: UnitOfWork) -> int:
        """Count some events in this transaction; returns how many."""
        ...


class Tending:
    """A thread; several processes may have one each.

    Args:
        sources: modules of slices above this one.
    """

    def __init__(self, workspace: Workspace, *, sources: Sequence[Source] = ()) -> None:
        self._workspace = workspace
        self._sources = tuple(sources)
        self._kept_for = timedelta(days=workspace.section(MonitoringSettings).predictions_kept_days)
        self._stopping = threading.Event()
        self._outages = Outages(after_s=workspace.section(MonitoringSettings).provider_down_after_s)
        self._prune_at_s = float("-inf")
        self._evaluate_at_s = self._show_at_s = float("-inf")
        self._thread = threading.Thread(target=self._run, name="tending", daemon=True)

    def start(self) -> None:
        # Not at once: a command in local mode is over before anything could have gone wrong.
        self._evaluate_at_s = self._prune_at_s = self._workspace.clock.monotonic_s() + evaluating.EVERY_S
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._workspace.bell(labels.BELL).ring()
        self._thread.join()

    def _run(self) -> None:
        bell = self._workspace.bell(labels.BELL)
        trouble = Trouble("labels_not_counted")
        while not self._stopping.is_set():
            with trouble.told():
                self.tend()
            bell.wait(timeout_s=TICK_S)

    def tend(self) -> None:
        """Everything that is due."""
        with self._workspace.reading(BY) as uow:
            can_join = labels.any_joinable(uow, kept_for=self._kept_for)
            can_count = can_join or counting.any_uncounted(uow)
        if can_join:
            with self._workspace.writing(BY) as uow:
                labels.join_waiting(uow, kept_for=self._kept_for)
        while can_count and not self._stopping.is_set():
            with self._workspace.writing(BY) as uow:
                can_count = testing.advance(uow) > 0
        self._count()
        self._evaluate()
        now_s = self._workspace.clock.monotonic_s()
        if now_s >= self._prune_at_s:
            self._prune_at_s = now_s + PRUNE_EVERY_S
            prune(self._workspace)
            telemetry.prune(self._workspace)
            prune_texts(self._workspace)
            with self._workspace.writing(BY) as uow:
                tallying.prune(uow)
                support.prune(uow)

    def _evaluate(self) -> None:
        """Evaluate alert rules when it is time, and show what holds at `/metrics`."""
        now_s = self._workspace.clock.monotonic_s()
        if now_s < self._evaluate_at_s:
            return
        self._evaluate_at_s = now_s + evaluating.EVERY_S
        with self._workspace.writing(BY) as uow:
            evaluating.evaluate(uow)
            told = self._outages.tell(uow)
            intake.expire(uow)
        self._outages.told = told
        if now_s >= self._show_at_s:
            self._show_at_s = now_s + SHOW_EVERY_S
            with self._workspace.reading(BY) as uow:
                evaluating.show(uow)

    def _count(self) -> None:
        """Bring the tallies up to date."""
        with self._workspace.reading(BY) as uow:
            can_count = tallying.any_uncounted(uow)
        while can_count and not self._stopping.is_set():
            with self._workspace.writing(BY) as uow:
                can_count = tallying.advance(uow) > 0
        for source in self._sources:
            with self._workspace.reading(BY) as uow:
                can_count = source.any_uncounted(uow)
            if can_count:
                with self._workspace.writing(BY) as uow:
                    source.advance(uow)
