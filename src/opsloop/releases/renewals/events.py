"""What other slices hear of renewals."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.core.events.types import event_type


@event_type("renewal.started")
@dataclass(frozen=True, slots=True)
class RenewalStarted:
    renewal: str
    endpoint: str
    cause: str
    reason: str


@event_type("renewal.ended")
@dataclass(frozen=True, slots=True)
class RenewalEnded:
    """`state` is `promoted`, `rejected` or `skipped`; `reason` says why."""

    renewal: str
    endpoint: str
    state: str
    challenger: str | None
    reason: str


@event_type("renewal.needs_approval")
@dataclass(frozen=True, slots=True)
class RenewalNeedsApproval:
    renewal: str
    endpoint: str
    challenger: str
    sentence: str
