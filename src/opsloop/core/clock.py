"""Time, as something tests can set. Instants are aware UTC; durations come from the monotonic clock."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Protocol

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never run backwards, for durations."""
        ...

    def counter(self) -> str:
        """What `monotonic_s` counts from: counts of one name can be compared, also between processes."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return time.monotonic()

    def counter(self) -> str:
        return _counter()


class FakeClock:
    """A clock that stands still until told otherwise."""

    def __init__(self, at: datetime | None = None) -> None:
        self._now = at or datetime(2027, 1, 1, tzinfo=UTC)
        self._monotonic_s = 1_000.0
        self._boots = 0

    def now(self) -> datetime:
        return self._now

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def counter(self) -> str:
        return f"fake boot {self._boots}"

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic_s += seconds

    def jump_to(self, at: datetime) -> None:
        """Set the wall clock alone, as an operator or a time server does."""
        self._now = at

    def reboot(self) -> None:
        """Count anew, as after the start of a machine."""
        self._boots += 1
        self._monotonic_s = 0.0


@cache
def _counter() -> str:
    """Linux counts from its start, for all processes. Source: proc_sys_kernel(5), clock_gettime(2).

    Elsewhere what this process counts is compared with nothing else.
    """
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return str(uuid.uuid4())
