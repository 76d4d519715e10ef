"""The nouns of releasing: endpoints, releases, rollouts and what happened in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NewType

ReleaseId = NewType("ReleaseId", str)
RolloutId = NewType("RolloutId", str)
ApprovalId = NewType("ApprovalId", str)
FreezeId = NewType("FreezeId", str)

Kind = Literal["flow", "model"]
"""What an endpoint serves: versions of flows, or of trained models."""

Environment = Literal["production", "staging", "test", "development"]
"""What an endpoint is for."""


class RolloutStatus(StrEnum):
    """Where a rollout is.

    `waiting`: it was made and its driver has not looked at it yet; `running`: the analysis watches it; `paused`: the
    share stays until somebody resumes it. The others are ends: the candidate became stable, was taken back on evidence
    or by a person, or was given up before anything spoke against it.
    """

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    ABORTED = "aborted"

    @property
    def is_over(self) -> bool:
        return self in (RolloutStatus.PROMOTED, RolloutStatus.ROLLED_BACK, RolloutStatus.ABORTED)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A stable name that callers use.

    Args:
        keep_texts: what is kept of questions and answers; None: nothing.
        environment: that it is of; None: that of the platform.
    """

    name: str
    kind: Kind
    created_at: datetime
    created_by: str
    keep_texts: dict[str, Any] | None = None
    environment: Environment | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """An immutable bundle that an endpoint can serve.

    `serves` is the version behind it, such as `answer@2`, and `serves_digest` its content's.
    `digest` is over that content, the configuration and the evaluation; `gate` is the verdict with which it was
    let in, None when no evaluation was named. `left_for` tells why it was taken back or left, None while it was not.
    """

    id: ReleaseId
    endpoint: str
    number: int
    kind: Kind
    serves: str
    serves_digest: str
    serves_artifact: str
    config: dict[str, Any]
    evaluation: str | None
    gate: str | None
    digest: str
    created_at: datetime
    created_by: str
    left_for: str | None = None


@dataclass(frozen=True, slots=True)
class RecallEffect:
    """What a recall did to one endpoint."""

    endpoint: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Recall:
    """A version that nothing may serve any more, and what that took."""

    serves: str
    reason: str
    recalled_by: str
    recalled_at: datetime
    effects: tuple[RecallEffect, ...]


@dataclass(frozen=True, slots=True)
class RolloutStep:
    """One step of a canary: how much traffic, and the least that must be seen before the next.

    Args:
        share: of subjects that the candidate serves, above 0 and below 1.
        min_duration_s: time under watch before the next step, in seconds.
        min_subjects: subjects that the candidate served at this share before the next step.
    """

    share: float
    min_duration_s: float
    min_subjects: int


@dataclass(frozen=True, slots=True)
class Rollout:
    """The way from one release to the next.

    `release` is the candidate, `stable` what it is compared with (None for the first release of an endpoint); `step`
    counts from 0; `share` is the candidate's at the moment; `evidence` holds the counts and what the analysis found.
    """

    id: RolloutId
    endpoint: str
    release: ReleaseId
    number: int
    stable: ReleaseId | None
    stable_number: int | None
    strategy: str
    steps: tuple[RolloutStep, ...]
    step: int
    share: float
    status: RolloutStatus
    reason: str
    evidence: dict[str, Any]
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class RolloutEvent:
    """Something that happened in a rollout, with the candidate's share from then on."""

    at: datetime
    kind: str
    share: float
    sentence: str
    by: str
    evidence: dict[str, Any]


class ApprovalState(StrEnum):
    """`expired`: nobody answered in time; `void`: the rollout ended before somebody did."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Approval:
    """A yes that a rollout waits for, or what became of it.

    `shown` is what the question was decided on: the candidate, the action, the plan and the evidence of that moment;
    `digest` is over it, and whoever answers names it.
    """

    id: ApprovalId
    rollout: RolloutId
    endpoint: str
    action: str
    state: ApprovalState
    sentence: str
    shown: dict[str, Any]
    digest: str
    asked_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time in which no rollout gives a candidate traffic; rollbacks go on. `endpoint` None: of all endpoints."""

    id: FreezeId
    endpoint: str | None
    reason: str
    until: datetime | None
    began_at: datetime
    began_by: str
    ended_at: datetime | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class RolloutHistory:
    """A rollout and its events, oldest first; so are the approvals that it asked for."""

    rollout: Rollout
    events: tuple[RolloutEvent, ...]
    approvals: tuple[Approval, ...] = ()

    @property
    def waits_for(self) -> Approval | None:
        """The approval that somebody has to give."""
        return next((each for each in self.approvals if each.state is ApprovalState.WAITING), None)


@dataclass(frozen=True, slots=True)
class EndpointState:
    """What an endpoint serves now; `rollout` is the newest one, running or not."""

    endpoint: Endpoint
    stable: Release | None
    candidate: Release | None
    rollout: Rollout | None


@dataclass(frozen=True, slots=True)
class Released:
    """A new release and the rollout that brings it to traffic."""

    release: Release
    rollout: Rollout
