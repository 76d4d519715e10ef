"""What a rollout does next, from what is known: a pure decision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from opsloop.releases.analysis.evidence import Evidence, Finding
from opsloop.releases.analysis.stepping import Readiness
from opsloop.releases.models import RolloutStep


class MoveKind(StrEnum):
    """`ask`: a person is asked for a yes; `expire`: nobody gave it; `hold`: an experiment is over and a person decides;
    `give_up`: it showed nothing either way; `settle`: the rollout is over and late records are
    still counted; `end`: nothing is left to do.
    """

    START = "start"
    WAIT = "wait"
    STEP = "step"
    PROMOTE = "promote"
    ROLL_BACK = "roll_back"
    ASK = "ask"
    EXPIRE = "expire"
    HOLD = "hold"
    GIVE_UP = "give_up"
    SETTLE = "settle"
    END = "end"


@dataclass(frozen=True, slots=True)
class Move:
    """The next thing to do and why, in a sentence; `place` of the plan is what a person is asked about."""

    kind: MoveKind
    sentence: str
    place: int = 0

    @property
    def changes_weights(self) -> bool:
        return self.gives_traffic or self.kind is MoveKind.ROLL_BACK

    @property
    def gives_traffic(self) -> bool:
        """Whether the candidate gets more of it, which a person, a freeze or a window may hold."""
        return self.kind in (MoveKind.START, MoveKind.STEP, MoveKind.PROMOTE)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a rollout is: `index` of `steps`, watched for `watched_s` seconds so far."""

    steps: tuple[RolloutStep, ...]
    index: int
    watched_s: float
    is_paused: bool

    @property
    def step(self) -> RolloutStep:
        return self.steps[self.index]

    @property
    def label(self) -> str:
        return f"step {self.index + 1} of {len(self.steps)} ({100 * self.step.share:g} % of users)"


def next_move(at: Position, evidence: Evidence, readiness: Readiness) -> Move:
    """Harm is answered at once, also in a pause; everything else waits for time, subjects and the bound on the excess.

    Silence never promotes: without enough subjects the answer stays "wait", however long it takes.
    """
    if evidence.finding is Finding.WORSE:
        return Move(MoveKind.ROLL_BACK, evidence.sentence)
    if at.is_paused:
        return Move(MoveKind.WAIT, f"{at.label}: paused; {readiness.sentence}")
    if at.watched_s < at.step.min_duration_s:
        watched = f"watched for {at.watched_s:,.0f} of {at.step.min_duration_s:,.0f} s"
        return Move(MoveKind.WAIT, f"{at.label}: {watched}; {readiness.sentence}")
    if not readiness.is_ready:
        return Move(MoveKind.WAIT, f"{at.label}: {readiness.sentence}")
    if at.index + 1 < len(at.steps):
        return Move(MoveKind.STEP, f"{at.label} passed: {readiness.sentence}")
    return Move(MoveKind.PROMOTE, f"{at.label} passed, the last one: {readiness.sentence}")


@dataclass(frozen=True, slots=True)
class InShadow:
    """A rollout whose candidate is asked and does not answer; `has_steps`: a canary follows."""

    min_duration_s: float
    watched_s: float
    is_paused: bool
    has_steps: bool


def next_move_in_shadow(at: InShadow, evidence: Evidence, readiness: Readiness) -> Move:
    """As `next_move`: harm ends it at once, silence never does."""
    if evidence.finding is Finding.WORSE:
        return Move(MoveKind.ROLL_BACK, evidence.sentence)
    if at.is_paused:
        return Move(MoveKind.WAIT, f"in the shadow: paused; {readiness.sentence}")
    if at.watched_s < at.min_duration_s:
        watched = f"watched for {at.watched_s:,.0f} of {at.min_duration_s:,.0f} s"
        return Move(MoveKind.WAIT, f"in the shadow: {watched}; {readiness.sentence}")
    if not readiness.is_ready:
        return Move(MoveKind.WAIT, f"in the shadow: {readiness.sentence}")
    return Move(MoveKind.STEP if at.has_steps else MoveKind.PROMOTE, f"the shadow passed: {readiness.sentence}")
