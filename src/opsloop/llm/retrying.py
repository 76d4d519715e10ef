"""When and how long to wait before a call to a server is tried again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

RETRYABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a call is tried again.

    The wait doubles from `first_wait_s` to `longest_wait_s`, drawn evenly from 0 to that ("full jitter").
    Source: M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog (2015).
    """

    attempts: int = 4
    first_wait_s: float = 0.5
    longest_wait_s: float = 20.0
    draw: Callable[[float, float], float] = random.uniform

    def wait_s(self, attempt: int, retry_after_s: float | None) -> float | None:
        """Seconds to wait after try number `attempt` (from 0) failed; None to give up.

        A server that asks for more than `longest_wait_s` is not waited for: its caller can decide better.
        """
        if attempt + 1 >= self.attempts:
            return None
        if retry_after_s is not None:
            return retry_after_s if retry_after_s <= self.longest_wait_s else None
        return self.draw(0.0, min(self.longest_wait_s, self.first_wait_s * 2**attempt))


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for, given as seconds or as a date (RFC 9110, 10.2.3)."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (at - now).total_seconds()) if at.tzinfo is not None else None
