"""How often an address may come: a bucket of tokens that fills evenly, for each (J. Turner, New Directions in
Communications, IEEE Communications Magazine 24 (1986), 8-15). In memory: a restart begins anew."""

from __future__ import annotations

import threading
from collections import OrderedDict

from opsloop.core.clock import Clock
from opsloop.core.errors import RateLimited

ADDRESSES = 10_000


class TooOften(RateLimited):
    template = "too many requests from this address; please wait a minute and try again"


class Pace:
    """Args: per_minute: how many may come in a minute; a burst may be as large."""

    def __init__(self, clock: Clock, per_minute: int) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._lock = threading.Lock()
        # Tokens left and when that was so, in seconds; the address that was seen last at the end.
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admit(self, address: str) -> None:
        """Raises: TooOften."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            left, at_s = self._left.pop(address, (float(self._per_minute), now_s))
            left = min(self._per_minute, left + (now_s - at_s) * self._per_minute / 60)
            is_admitted = left >= 1
            self._left[address] = (left - is_admitted, now_s)
            if len(self._left) > ADDRESSES:
                self._left.popitem(last=False)
        if not is_admitted:
            raise TooOften()
