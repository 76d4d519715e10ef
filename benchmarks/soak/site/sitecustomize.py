"""Gives every process that has this folder on its path a clock that jumps, by what the file SOAK_CLOCK says.

Only a process may be given another time without root, and only by itself: the product's own clock is shifted, which is
what everything in it asks for instants. Durations are measured on the monotonic clock, which no jump reaches.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsloop.core.clock import SystemClock

_FILE = Path(os.environ["SOAK_CLOCK"])


def _now(self: SystemClock) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(_FILE.read_text() or 0))


SystemClock.now = _now  # type: ignore[method-assign]
