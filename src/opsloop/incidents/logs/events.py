"""What other slices hear of logs."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.core.events.types import event_type


@event_type("log.anomaly_found")
@dataclass(frozen=True, slots=True)
class LogAnomalyFound:
    """Something unusual stands in the stored log records of a service.

    Args:
        kind: `rarity` (a kind of line that was never seen) or `burst` (one that came far more often than before).
        template: the kind of line, masked; fingerprint: its short name, the same everywhere.
        at_s: end of the minute in which it was, in seconds since 1970.
        evidence: lines as they came, at most five, each of at most 500 characters.
        count: lines of it in that minute; expected: how many were, from what was seen before.
        p: chance of so many if nothing had changed.
    """

    service: str
    kind: str
    template: str
    fingerprint: str
    at_s: int
    evidence: list[str]
    count: int
    expected: float
    p: float
