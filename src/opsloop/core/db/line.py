"""A line of threads that wait for their turn, first come, first served.

SQLite has one writer at a time, and lets those who wait sleep and ask again: who asked first may be the last to write.
Within a process the line settles it without sleeping; SQLite's own lock stays for other processes.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class TurnNotCome(Exception):
    """The one whose turn it is takes too long."""


class Line:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_taken = False
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def turn(self, timeout_s: float) -> Iterator[None]:
        """One at a time; the block may end in another thread than it began in. Raises: TurnNotCome."""
        self._wait(timeout_s)
        try:
            yield
        finally:
            self._pass_on()

    def _wait(self, timeout_s: float) -> None:
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return
            called = threading.Event()
            self._waiting.append(called)
        if called.wait(timeout_s):
            return
        with self._lock:
            if not called.is_set():
                self._waiting.remove(called)
                raise TurnNotCome
        # It was called between the end of the wait and now: the turn is this thread's.

    def _pass_on(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._is_taken = False
