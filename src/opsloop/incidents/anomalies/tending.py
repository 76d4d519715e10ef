"""The thread of the standing watch."""

from __future__ import annotations

import threading

from opsloop.core.telemetry.trouble import Trouble
from opsloop.core.workspace import Workspace
from opsloop.incidents.anomalies import watching

EVERY_S = 60.0
PRUNE_EVERY_S = 3_600.0


class Tending:
    """Several processes may have one each."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._stopping = threading.Event()
        self._prune_at_s = float("-inf")
        self._thread = threading.Thread(target=self._run, name="anomalies", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        trouble = Trouble("metrics_not_watched")
        # Not at once: a command in local mode is over before anything could have gone wrong.
        while not self._stopping.wait(timeout=EVERY_S):
            with trouble.told():
                watching.watch(self._workspace)
                self._prune()

    def _prune(self) -> None:
        now_s = self._workspace.clock.monotonic_s()
        if now_s >= self._prune_at_s:
            watching.prune(self._workspace)
            self._prune_at_s = now_s + PRUNE_EVERY_S
