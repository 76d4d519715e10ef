"""A bell: threads of one process tell each other that there is something to look at.

It carries no content and other processes do not hear it; they look by themselves at intervals. It only saves
waiting.
"""

from __future__ import annotations

import threading


class Bell:
    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0
        self._seen = threading.local()

    def ring(self) -> None:
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    def wait(self, *, timeout_s: float) -> bool:
        """Wait for a ring since this thread's last wait; False when none came in time."""
        with self._condition:
            seen = getattr(self._seen, "count", 0)
            rung = self._condition.wait_for(lambda: self._rings > seen, timeout=timeout_s)
            self._seen.count = self._rings
            return rung
