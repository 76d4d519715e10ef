"""A retry budget: when a server fails for many, few of its calls are tried again, so that retries do not keep it down.

Of the calls of the last ten seconds a fifth may be tried again, and three a second in any case: so a quiet server has
retries too. Of one process and one server; threads may share it.
Source: Finagle's RetryBudget (percentCanRetry 0.2, ttl 10 s, minRetriesPerSec); the same is Envoy's `retry_budget`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from opsloop.core.clock import Clock

SHARE = 0.2
WINDOW_S = 10
LEAST_PER_S = 3
_KEPT = 256


class RetryBudget:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seconds: dict[int, list[int]] = {}
        """By whole second of the monotonic clock: calls, and those of them tried again."""

    def asked(self) -> None:
        """A call is made for the first time."""
        with self._lock:
            self._now()[0] += 1

    def takes_retry(self) -> bool:
        """Whether a call may be tried again; then it counts as tried."""
        with self._lock:
            now = self._now()
            calls = sum(each[0] for each in self._seconds.values())
            retries = sum(each[1] for each in self._seconds.values())
            if retries >= LEAST_PER_S * WINDOW_S + SHARE * calls:
                return False
            now[1] += 1
            return True

    def _now(self) -> list[int]:
        second = int(self._clock.monotonic_s())
        if second not in self._seconds:
            for old in [each for each in self._seconds if each <= second - WINDOW_S]:
                del self._seconds[old]
            self._seconds[second] = [0, 0]
        return self._seconds[second]


_budgets: OrderedDict[Hashable, RetryBudget] = OrderedDict()
_lock = threading.Lock()


def budget_of(server: Hashable, clock: Clock) -> RetryBudget:
    """The one budget of a server in this process."""
    with _lock:
        found = _budgets.get(server)
        if found is None:
            found = _budgets[server] = RetryBudget(clock)
            if len(_budgets) > _KEPT:
                _budgets.popitem(last=False)
        return found
