"""What nobody's request asks for: delete what was kept long enough, let go of staged bytes, old indexes and pages."""

from __future__ import annotations

import sys
import threading

from sqlalchemy import select

from opsloop.core.caller import system
from opsloop.core.telemetry.trouble import Trouble
from opsloop.core.workspace import Workspace
from opsloop.rag._tables import CollectionRow
from opsloop.rag.deletion import retention
from opsloop.rag.deletion.deleting import BELL, forget
from opsloop.rag.ingests.staging import sweep

BY = system("documents")
TICK_S = 5.0
RETRY_S = 0.5
# Erasing rewrites an SQLite file: writers wait meanwhile, so it may take a hundredth of the time at most.
ERASE_EVERY_S = 10.0
ERASE_SHARE = 0.01
# What takes longer when the process stops is left to its next start: who stops it may not wait.
ERASE_AT_STOP_S = 2.0
SWEEP_EVERY_S = 600.0
# Seldom: what a search finds in memory saves it the whole of the reading.
INDEXES_EVERY_S = 600.0


class Tending:
    """A thread; several processes may have one each."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._stopping = threading.Event()
        self._sweep_at_s = self._indexes_at_s = float("-inf")
        # Also at the start: the process before this one may have been killed between a deletion and what follows it.
        self._must_erase = True
        self._erase_at_s = float("-inf")
        self._erasing_s = 0.0
        self._thread = threading.Thread(target=self._run, name="documents", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._workspace.bell(BELL).ring()
        self._thread.join()

    def _run(self) -> None:
        trouble = Trouble("documents_not_tended")
        while not self._stopping.is_set():
            with trouble.told():
                self.tend()
            if self._workspace.bell(BELL).wait(timeout_s=RETRY_S if self._must_erase else TICK_S):
                self._must_erase, self._sweep_at_s = True, float("-inf")
        if self._must_erase and self._erasing_s < ERASE_AT_STOP_S:
            with trouble.told():
                self._workspace.database.erase_deleted()

    def tend(self) -> None:
        """Everything that is due."""
        self._delete_old()
        now_s = self._workspace.clock.monotonic_s()
        if now_s >= self._indexes_at_s:
            self._indexes_at_s = now_s + INDEXES_EVERY_S
            self._forget_gone_indexes()
        if now_s >= self._sweep_at_s:
            self._sweep_at_s = now_s + SWEEP_EVERY_S
            sweep(self._workspace)
        if self._must_erase and now_s >= self._erase_at_s:
            self._erase()

    def _delete_old(self) -> None:
        """Documents whose time is over, some at a time, so that others can write in between."""
        with self._workspace.reading(BY) as uow:
            due = retention.due(uow)
        for collection in due:
            while not self._stopping.is_set():
                with self._workspace.writing(BY) as uow:
                    deletion = retention.delete_old(uow, collection)
                forget(self._workspace, deletion)
                if deletion.removed.documents < retention.AT_ONCE:
                    break

    def _erase(self) -> None:
        clock = self._workspace.clock
        began_s = clock.monotonic_s()
        try:
            self._must_erase = not self._workspace.database.erase_deleted()
        finally:
            ended_s = clock.monotonic_s()
            self._erasing_s = ended_s - began_s
            self._erase_at_s = ended_s + (
                RETRY_S if self._must_erase else max(ERASE_EVERY_S, self._erasing_s / ERASE_SHARE)
            )

    def _forget_gone_indexes(self) -> None:
        cache = sys.modules.get("opsloop.rag.index.cache")  # a process that never searched did not load numpy
        if cache is None:
            return
        with self._workspace.reading(BY) as uow:
            there = list(uow.session.scalars(select(CollectionRow.name)))
        cache.forget_gone(self._workspace, there)
