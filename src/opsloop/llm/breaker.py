"""A circuit breaker: a server that fails again and again is left alone for a while, so that nobody waits for it.

Closed, calls pass. After `FAILURES` in a row it opens, and for `rest_s` nobody asks; then one call may try (half-open),
which closes it or opens it again for twice as long, up to `LONGEST_REST_S`.
Source: M. Nygard, Release It!, 2nd edition (2018), chapter 5, "Circuit Breaker".
"""

from __future__ import annotations

import threading
import weakref

from opsloop.core.clock import Clock

FAILURES = 5
FIRST_REST_S = 5.0
LONGEST_REST_S = 60.0
PROBE_S = 30.0
"""A try that has not ended by then is given up, and another may begin: its caller may have gone."""


_NAMED: weakref.WeakSet[Breaker] = weakref.WeakSet()
_NAMING = threading.Lock()


class Breaker:
    """Of one server's model; threads may share it. Args: name: of the server, without its key."""

    def __init__(self, clock: Clock, name: str = "") -> None:
        self.name = name
        self._open_since_s: float | None = None
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._rest_s = FIRST_REST_S
        self._opens_s: float | None = None
        if name:
            with _NAMING:
                _NAMED.add(self)

    @property
    def is_open(self) -> bool:
        """Whether calls are kept away, but for those that `lets_in` allows."""
        return self._opens_s is not None

    @property
    def open_for_s(self) -> float:
        """Since calls are kept away, through all tries that failed; 0 while they pass."""
        since_s = self._open_since_s
        return 0.0 if since_s is None else max(0.0, self._clock.monotonic_s() - since_s)

    def lets_in(self) -> bool:
        """Whether a call may be made now; who is let in tells how it ended."""
        with self._lock:
            if self._opens_s is None:
                return True
            now_s = self._clock.monotonic_s()
            if now_s < self._opens_s:
                return False
            self._opens_s = now_s + PROBE_S
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failures, self._rest_s, self._opens_s = 0, FIRST_REST_S, None
            self._open_since_s = None

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._opens_s is not None:  # the try failed, or a call that began before it opened
                self._rest_s = min(LONGEST_REST_S, 2 * self._rest_s)
            elif self._failures < FAILURES:
                return
            if self._open_since_s is None:
                self._open_since_s = self._clock.monotonic_s()
            self._opens_s = self._clock.monotonic_s() + self._rest_s


def named() -> list[Breaker]:
    """Every breaker of this process that has a name, by it."""
    with _NAMING:
        found = list(_NAMED)
    return sorted(found, key=lambda each: each.name)
