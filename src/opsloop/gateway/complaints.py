"""Failing releases in the log: the first failure at once, then one line a minute that counts the others.

A candidate that fails on every request must not fill the log while its rollout is being stopped; each failure stands in
the request records anyway. A line says where it failed and with what kind of error, not the error's own words: they may
repeat what the caller sent. At level debug the words are there, for every failure.
"""

from __future__ import annotations

import structlog

from opsloop.core.clock import Clock
from opsloop.core.errors import OpsloopError

log = structlog.get_logger()
EVERY_S = 60.0


class Complaints:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told_at_s: dict[tuple[str, str], float] = {}
        self._untold: dict[tuple[str, str], int] = {}

    def tell(self, event: str, *, endpoint: str, release: str, error: Exception) -> None:
        log.debug("failure_in_words", endpoint=endpoint, release=release, error=str(error))
        key, now_s = (event, release), self._clock.monotonic_s()
        if now_s - self._told_at_s.get(key, float("-inf")) < EVERY_S:
            self._untold[key] = self._untold.get(key, 0) + 1
            return
        self._told_at_s[key] = now_s
        more = self._untold.pop(key, 0)
        counted = {"since_last_line": more} if more else {}
        log.warning(event, endpoint=endpoint, release=release, **_place(error), **counted)


def _place(error: Exception) -> dict[str, str]:
    facts = error.facts if isinstance(error, OpsloopError) else {}
    found = {
        "error": type(error).__name__,
        "node": str(facts.get("node", "")),
        "cause": type(error.__cause__).__name__ if error.__cause__ else "",
        "where": str(facts.get("where", "")).strip(),
    }
    return {name: value for name, value in found.items() if value}
