"""The nouns of an experiment's report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """Who won. `mismatch`: users were not shared out as drawn, so that nothing can be said."""

    WON = "won"
    LOST = "lost"
    INCONCLUSIVE = "inconclusive"
    MISMATCH = "mismatch"


class Standing(StrEnum):
    """How the candidate stands in one metric; `within`: a loss of more than the margin is ruled out."""

    BETTER = "better"
    WORSE = "worse"
    WITHIN = "within"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class ArmMean:
    """The mean of one arm over its users, and where it lies; None before the first user that says something."""

    users: int
    mean: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class MetricReport:
    """One metric on both sides, in its unit. `difference`, candidate less stable, lies between `low` and `high`."""

    name: str
    title: str
    unit: str
    more_is_better: bool
    cap: float
    margin: float | None
    candidate: ArmMean
    stable: ArmMean
    difference: float | None
    low: float
    high: float
    standing: Standing


@dataclass(frozen=True, slots=True)
class UserCounts:
    """Users of each arm, and whether they were shared out as drawn: `e_value` is the evidence that they were not."""

    candidate: int
    stable: int
    drawn_share: float
    e_value: float
    threshold: float
    is_mismatch: bool


@dataclass(frozen=True, slots=True)
class ExperimentReport:
    """An A/B test so far, or its result. The first metric decides; all intervals hold at once at every look."""

    rollout: str
    endpoint: str
    release: str
    number: int
    stable_number: int | None
    status: str
    reason: str
    started_at: datetime
    finished_at: datetime | None
    watched_s: float
    duration_s: float
    planned_users: int
    alpha: float
    is_over: bool
    users: UserCounts
    metrics: tuple[MetricReport, ...]
    outcome: Outcome
    sentence: str
    next: str
