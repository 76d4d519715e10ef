"""What other slices hear of alerts."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.core.events.types import event_type


@event_type("alert.fired")
@dataclass(frozen=True, slots=True)
class AlertFired:
    """An alert began to fire.

    Args:
        endpoint: that it is about; empty when it is about none.
        severity: `page`, `ticket` or `info`.
        reason: the sentence that says what holds.
        source: `opsloop`, or the system outside that found it.
        is_silenced: somebody said not to be told of such alerts now.
    """

    alert: str
    endpoint: str
    rule: str
    severity: str
    reason: str
    source: str = "opsloop"
    is_silenced: bool = False


@event_type("alert.resolved")
@dataclass(frozen=True, slots=True)
class AlertResolved:
    alert: str
    endpoint: str
    rule: str
    severity: str
    reason: str
    source: str = "opsloop"
