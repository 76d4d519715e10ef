"""When and how long to wait before a call to a server is tried again."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

RETRYABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
TOO_MANY = 429

deadline_s: ContextVar[float | None] = ContextVar("deadline_s", default=None)
"""When the caller stops waiting, on the monotonic clock: no try is begun that could not end before."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a call is tried again.

    The wait doubles from `first_wait_s` to `longest_wait_s`, drawn evenly from 0 to that ("full jitter").
    Source: M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog (2015).

    `longest_s` bounds all tries of a call together, in seconds from the first.
    """

    attempts: int = 4
    first_wait_s: float = 0.5
    longest_wait_s: float = 60.0
    longest_s: float = 600.0
    draw: Callable[[float, float], float] = random.uniform

    def wait_s(self, attempt: int, retry_after_s: float | None) -> float | None:
        """Seconds to wait after try number `attempt` (from 0) failed; None to give up.

        A server that asks for more than `longest_wait_s` is not waited for: its caller can decide better.
        """
        if attempt + 1 >= self.attempts:
            return None
        if retry_after_s is not None:
            return retry_after_s if retry_after_s <= self.longest_wait_s else None
        return self.drawn_s(attempt)

    def drawn_s(self, attempt: int) -> float:
        return self.draw(0.0, min(self.longest_wait_s, self.first_wait_s * 2 ** min(attempt, 30)))


class Tries:
    """The tries of one call so far."""

    def __init__(self, patience: Patience, now_s: float) -> None:
        self._patience = patience
        self._began_s = now_s
        self._failed = 0
        self._crowded = 0

    def wait_s(self, now_s: float, asked_s: float | None, *, crowded: bool) -> float | None:
        """Seconds to wait before the next try; None to give up.

        Args:
            asked_s: what the server asks for.
            crowded: whether the server refused this call for others that were in flight beside it. That is answered by
                sending fewer, and is no try of this call.
        """
        if crowded and (asked_s is None or asked_s <= self._patience.longest_wait_s):
            wait_s: float | None = self._patience.drawn_s(self._crowded) if asked_s is None else asked_s
            self._crowded += 1
        else:
            wait_s = self._patience.wait_s(self._failed, asked_s)
            self._failed += 1
        if wait_s is None:
            return None
        ends_s = min(self._began_s + self._patience.longest_s, deadline_s.get() or float("inf"))
        return wait_s if now_s + wait_s < ends_s else None


def asked_wait_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that a reply asks to wait: `Retry-After`, or finer in milliseconds as Azure and OpenAI do."""
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        try:
            return max(0.0, float(headers[name]) / 1000)
        except (KeyError, ValueError):
            continue
    return retry_after_s(headers.get("retry-after"), now)


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
