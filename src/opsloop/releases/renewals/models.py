"""The nouns of renewing a model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from opsloop.releases.renewal_policy import Cause

RenewalId = NewType("RenewalId", str)


class RenewalState(StrEnum):
    """Where a renewal is.

    `collecting`: the rows to learn from are gathered, or waited for; `training`: a run of the pipeline makes the
    challenger; `preparing`: rows are chosen that neither model learned from; `evaluating`: both models answer them;
    `judging`: the gate decides; `awaiting_approval`: it passed, and a person is to say yes; `rolling_out`: the
    challenger is on its way to traffic. The others are ends: the challenger serves everybody; it was refused, by the
    gate, a person or its rollout; there was nothing to do.
    """

    COLLECTING = "collecting"
    TRAINING = "training"
    PREPARING = "preparing"
    EVALUATING = "evaluating"
    JUDGING = "judging"
    AWAITING_APPROVAL = "awaiting_approval"
    ROLLING_OUT = "rolling_out"
    PROMOTED = "promoted"
    REJECTED = "rejected"
    SKIPPED = "skipped"

    @property
    def is_over(self) -> bool:
        return self in (RenewalState.PROMOTED, RenewalState.REJECTED, RenewalState.SKIPPED)


@dataclass(frozen=True, slots=True)
class Renewal:
    """One way from what set it off to a better model, or to the reason why there is none.

    Attributes:
        alarms: those that set it off or joined it.
        policy: `renewal` of the release that served when it began.
        said: where it stands, or how it ended, as a sentence.
        champion, challenger: model versions such as `iris@3`; None while there is none.
        champion_run, challenger_run: evaluations of both on the same rows.
        gate: the verdict on the challenger.
    """

    id: RenewalId
    endpoint: str
    cause: Cause
    reason: str
    alarms: tuple[str, ...]
    policy: dict[str, Any]
    state: RenewalState
    said: str
    champion: str | None
    challenger: str | None
    training_run: str | None
    champion_run: str | None
    challenger_run: str | None
    gate: str | None
    release: str | None
    rollout: str | None
    started_at: datetime
    started_by: str
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class RenewalEvent:
    """Something that happened; `noun` and `target` name what to look at, such as `evaluation` and its id."""

    at: datetime
    kind: str
    sentence: str
    by: str
    noun: str
    target: str


@dataclass(frozen=True, slots=True)
class RenewalHistory:
    """A renewal and its events, oldest first."""

    renewal: Renewal
    events: tuple[RenewalEvent, ...]
