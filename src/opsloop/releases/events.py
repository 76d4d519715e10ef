"""What other slices hear of releases and rollouts."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.core.events.types import event_type


@event_type("rollout.started")
@dataclass(frozen=True, slots=True)
class RolloutStarted:
    rollout: str
    endpoint: str
    release: str
    share: float


@event_type("rollout.stepped")
@dataclass(frozen=True, slots=True)
class RolloutStepped:
    rollout: str
    endpoint: str
    release: str
    share: float
    reason: str


@event_type("rollout.needs_approval")
@dataclass(frozen=True, slots=True)
class RolloutNeedsApproval:
    """A rollout asks somebody for a yes; `question` says to what."""

    rollout: str
    endpoint: str
    release: str
    question: str


@event_type("rollout.promoted")
@dataclass(frozen=True, slots=True)
class RolloutPromoted:
    rollout: str
    endpoint: str
    release: str
    replaced: str | None
    reason: str


@event_type("rollout.rolled_back")
@dataclass(frozen=True, slots=True)
class RolloutRolledBack:
    """A candidate was taken back. `by_analysis`: on evidence, not by a person."""

    rollout: str
    endpoint: str
    release: str
    stable: str | None
    reason: str
    by_analysis: bool


@event_type("rollout.aborted")
@dataclass(frozen=True, slots=True)
class RolloutAborted:
    """A candidate was given up without a judgement on it."""

    rollout: str
    endpoint: str
    release: str
    reason: str


@event_type("release.recalled")
@dataclass(frozen=True, slots=True)
class ReleaseRecalled:
    """What a release served may be served nowhere any more; `endpoints` were changed by it."""

    release: str
    serves: str
    reason: str
    endpoints: list[str]


@event_type("endpoint.troubled")
@dataclass(frozen=True, slots=True)
class EndpointTroubled:
    """Trouble was put down to a release; `said` tells what was done about it."""

    endpoint: str
    release: str
    cause: str
    said: str


@event_type("endpoint.rolled_back")
@dataclass(frozen=True, slots=True)
class EndpointRolledBack:
    """An endpoint went back to the release before its stable one."""

    endpoint: str
    release: str
    replaced: str
    reason: str


@event_type("endpoint.reinstated")
@dataclass(frozen=True, slots=True)
class EndpointReinstated:
    """A release that had been left serves everybody again: leaving it had made things worse.

    Args:
        replaced: the release that served meanwhile; empty in events of before it was told.
    """

    endpoint: str
    release: str
    reason: str
    replaced: str = ""
