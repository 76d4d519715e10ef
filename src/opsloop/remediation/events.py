"""What other slices hear of remediations."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.core.events.types import event_type


@event_type("remediation.proposed")
@dataclass(frozen=True, slots=True)
class RemediationProposed:
    """A repair is proposed; `waits`: somebody's yes makes it act."""

    remediation: str
    incident: str
    playbook: str
    endpoint: str
    level: int
    waits: bool
    sentence: str


@event_type("remediation.decided")
@dataclass(frozen=True, slots=True)
class RemediationDecided:
    """Somebody said yes or no to a repair; of two people's yes each is told."""

    remediation: str
    incident: str
    playbook: str
    endpoint: str
    by: str
    is_yes: bool


@event_type("remediation.acted")
@dataclass(frozen=True, slots=True)
class RemediationActed:
    """A repair was made and is being checked. `by_itself`: nobody was asked."""

    remediation: str
    incident: str
    playbook: str
    endpoint: str
    by_itself: bool
    sentence: str


@event_type("remediation.ended")
@dataclass(frozen=True, slots=True)
class RemediationEnded:
    """`state` is how: `helped`, `not helped`, `undone`, `failed`, `unknown`, `rejected`, `void`, `rehearsed`."""

    remediation: str
    incident: str
    playbook: str
    endpoint: str
    state: str
    sentence: str


@event_type("remediation.halted")
@dataclass(frozen=True, slots=True)
class RemediationHalted:
    """Nothing acts any more until somebody resumes it."""

    by: str
    reason: str


@event_type("remediation.resumed")
@dataclass(frozen=True, slots=True)
class RemediationResumed:
    """Repairs may act again."""

    by: str
    reason: str
