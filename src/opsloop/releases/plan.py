"""What a rollout is going to do: its steps and what is watched. A strategy makes it; it is stored with the rollout."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import msgspec

from opsloop.releases.analysis.evidence import ALPHA, DISSATISFIED, ERROR, GUARDED, QUALITY, SLOW
from opsloop.releases.models import RolloutStep
from opsloop.releases.windows import Window

KINDS = {kind.name: kind for kind in (ERROR, SLOW, DISSATISFIED, GUARDED, QUALITY)}
"""The kinds of trouble that an analysis can watch."""


@dataclass(frozen=True, slots=True)
class AnalysisPlan:
    """What is watched, and how sure the analysis must be.

    Args:
        alpha: the chance that a candidate as good as stable is ever rolled back, above 0 to below 1.
        tolerance: the excess rate of trouble, 0 to 1, that must be ruled out before a step up.
        step_alpha: the chance that a step is passed although the excess is beyond the tolerance.
        kinds: names of `KINDS`.
        slow_ms: an answer that took longer is a slow one, in milliseconds.
        error_scale: the error of a predicted number that counts as the largest; None where classes are predicted.
    """

    alpha: float = ALPHA
    tolerance: float = 0.05
    step_alpha: float = 0.05
    kinds: tuple[str, ...] = (ERROR.name, DISSATISFIED.name)
    slow_ms: float = 2_000.0
    error_scale: float | None = None


SHADOW_STEP = -1
"""The step of a rollout, before the first that has a share, in which the candidate is asked and never answers."""


@dataclass(frozen=True, slots=True)
class ShadowPlan:
    """What the candidate must show on copies of the traffic.

    Args:
        sample: the share of requests that are copied to it, above 0 to 1.
        min_pairs: requests that both arms were asked.
        min_duration_s: time under watch, in seconds.
        min_agreement: the least share of rows on which it says what stable says, 0 to 1; None: whatever it says.
        min_labels: requests with a known truth; from them it must be shown that the candidate is not worse by `margin`.
        margin: how much larger its mean loss may be, 0 to 1: of classes, the share of wrong ones.
        safe_to_repeat: a flow does nothing that must not be done twice, as its owner says; models never do.
        max_tokens: that copies may use altogether; then no more are made. 0: as many as it takes.
    """

    sample: float = 1.0
    min_pairs: int = 200
    min_duration_s: float = 60.0
    min_agreement: float | None = None
    min_labels: int = 0
    margin: float = 0.02
    safe_to_repeat: bool = False
    max_tokens: int = 0


@dataclass(frozen=True, slots=True)
class MetricPlan:
    """A measure of an experiment, by its name in `experiments.measures`.

    Args:
        cap: larger values count as this one, in the measure's unit: an interval needs bounds.
        margin: how much worse the candidate may be, in the measure's unit; a win needs that more is ruled out.
            None: a win needs only that it is not shown to be worse.
    """

    name: str
    cap: float
    margin: float | None = None


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """An A/B test: both releases side by side until it is over; the first metric decides.

    Args:
        metrics: what is compared.
        duration_s: planned time under watch, in seconds.
        subjects: users on both sides together after which it is over before; 0: only time ends it.
        alpha: the chance that any interval of the report ever misses, above 0 to below 1.
        on_win: whether the candidate takes over by itself when it won, or is held for a person.
        otherwise: what becomes of a candidate that neither won nor lost.
    """

    metrics: tuple[MetricPlan, ...]
    duration_s: float
    subjects: int = 0
    alpha: float = 0.05
    on_win: Literal["promote", "hold"] = "hold"
    otherwise: Literal["give_up", "hold"] = "give_up"


class OnTrigger(StrEnum):
    """What trouble does: back to the release before, no further release until a person looked, or only word of it."""

    ROLLBACK = "rollback"
    PAUSE = "pause"
    TELL = "tell"


@dataclass(frozen=True, slots=True)
class BakePlan:
    """The watch over a release after it took over.

    Args:
        bake_s: how long, in seconds; 0: it is not watched.
        limits: rates, 0 to 1, that are tolerated: of `error`, `slow`, `dissatisfied`, `guarded`.
        slow_ms: an answer that took longer is a slow one, in milliseconds.
        alpha: the chance that a release which keeps all its limits is ever found to exceed one.
    """

    bake_s: float = 0.0
    on_trigger: OnTrigger = OnTrigger.TELL
    limits: dict[str, float] = field(default_factory=dict)
    slow_ms: float = 2_000.0
    alpha: float = 0.01


@dataclass(frozen=True, slots=True)
class ApprovalPlan:
    """Where a person has to say yes.

    Args:
        places: steps before which it is asked: a step's index, `SHADOW_STEP` for the shadow, and the number of steps
            for taking over.
        four_eyes: whether it must be somebody else than who made the release.
        expires_s: how long an answer is waited for, in seconds; afterwards the rollout is paused.
    """

    places: tuple[int, ...] = ()
    four_eyes: bool = False
    expires_s: float = 86_400.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The way of one rollout. Without steps the candidate takes over at once.

    Args:
        strategy: the name of the strategy that made it.
        steps: shares rise from step to step, so that each share belongs to one step.
        min_scores: users of each release whose answers one judge scored, before the candidate takes over.
        shield: whether stable answers a request that the candidate failed before its first byte.
        shadow: what comes before the steps, on copies of the traffic; None to begin with them.
        approval: where a person is asked.
        windows: when the candidate may be given traffic; empty: at any time.
        bake: the watch over the candidate after it took over.
        experiment: what its one step is compared by; None where a step only has to do no harm.
    """

    strategy: str
    steps: tuple[RolloutStep, ...] = ()
    analysis: AnalysisPlan = AnalysisPlan()
    min_scores: int = 0
    shield: bool = True
    shadow: ShadowPlan | None = None
    approval: ApprovalPlan = ApprovalPlan()
    windows: tuple[Window, ...] = ()
    experiment: ExperimentPlan | None = None
    bake: BakePlan = BakePlan()

    @property
    def first_place(self) -> int:
        return 0 if self.shadow is None else SHADOW_STEP

    @property
    def last_place(self) -> int:
        """Of taking over."""
        return len(self.steps)


def to_stored(plan: Plan) -> dict[str, Any]:
    stored: dict[str, Any] = msgspec.to_builtins(plan)
    return stored


def from_stored(stored: dict[str, Any]) -> Plan:
    return msgspec.convert(stored, Plan)
