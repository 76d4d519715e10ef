"""What other slices hear of watched models."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.core.events.types import event_type


@event_type("drift.detected")
@dataclass(frozen=True, slots=True)
class DriftDetected:
    """A watched model has an alarm; told once per detection.

    Args:
        model: the version that serves, such as `iris@3`.
        feature: that changed most; empty when no single one did.
        score: evidence over what an alarm needs, so at least 1.
        kind: `drift`: of rows or predictions; `performance`: labels say that the model got worse.
    """

    alarm: str
    endpoint: str
    release: str
    model: str
    feature: str
    sentence: str
    score: float
    kind: str = "drift"


@event_type("drift.closed")
@dataclass(frozen=True, slots=True)
class DriftClosed:
    """An alarm ended; `outcome` is `reset`, `accepted` (a new normal) or `replaced` (another release serves)."""

    alarm: str
    endpoint: str
    release: str
    outcome: str
    reason: str
