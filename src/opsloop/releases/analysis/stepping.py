"""May a canary take its next step? Only on evidence: silence never promotes.

A step is passed when the candidate has served enough subjects in it and, for every kind of adverse event, the upper
bound on its excess rate is within what the rule tolerates. Each bound may be read after every request. A candidate
whose excess is beyond the tolerance in any one kind passes a step with chance alpha at most: it has to slip past that
kind's bound, so nothing is divided among the kinds. A bound counts the subjects of its own step only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opsloop.core.errors import InvalidInput
from opsloop.releases.analysis.evidence import MINIMUM_SUBJECTS, Arm
from opsloop.releases.analysis.excess import excess_upper


@dataclass(frozen=True, slots=True)
class StepRule:
    """What a step must show.

    `tolerance` is the excess adverse rate (0 to 1) that must be ruled out; about ln(1/alpha) / tolerance quiet
    candidate subjects are needed for that.
    """

    minimum_subjects: int = MINIMUM_SUBJECTS
    tolerance: float = 0.05
    alpha: float = 0.05

    def __post_init__(self) -> None:
        if self.minimum_subjects < 1:
            raise InvalidInput(field="minimum_subjects", value=self.minimum_subjects, wanted="a count of 1 or more")
        if not 0.0 < self.tolerance < 1.0:
            raise InvalidInput(field="tolerance", value=self.tolerance, wanted="a number above 0 and below 1")
        if not 0.0 < self.alpha < 1.0:
            raise InvalidInput(field="alpha", value=self.alpha, wanted="a number above 0 and below 1")


@dataclass(frozen=True, slots=True)
class Counts:
    """What both arms showed in one step, for one kind."""

    candidate: Arm
    stable: Arm


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the next step may be taken, and the kind that speaks most against it.

    `excess_upper` is the upper bound on that kind's excess rate, 0 to 1.
    """

    is_ready: bool
    sentence: str
    kind: str
    subjects: int
    excess_upper: float


def readiness(rule: StepRule, counts: Mapping[str, Counts], *, share: float, unit: str = "user") -> Readiness:
    """Whether a step has shown enough.

    Args:
        counts: per kind of adverse event, what was counted since the step began.
        share: the candidate's share of routing in this step, above 0 and below 1.
    """
    if not counts:
        raise InvalidInput(field="counts", value={}, wanted="at least one kind of adverse event")
    bounds = {
        kind: excess_upper(seen.candidate, seen.stable, share=share, alpha=rule.alpha) for kind, seen in counts.items()
    }
    kind = max(bounds, key=bounds.__getitem__)
    subjects = min(seen.candidate.subjects for seen in counts.values())
    enough = subjects >= rule.minimum_subjects
    within = bounds[kind] <= rule.tolerance
    return Readiness(
        is_ready=enough and within,
        sentence=_sentence(rule, kind, bounds[kind], f"{subjects:,} candidate {unit}s", enough=enough, within=within),
        kind=kind,
        subjects=subjects,
        excess_upper=bounds[kind],
    )


def _sentence(rule: StepRule, kind: str, bound: float, seen: str, *, enough: bool, within: bool) -> str:
    if not enough:
        return f"not enough evidence: {seen} in this step, {rule.minimum_subjects:,} are needed"
    excess = f"the candidate's {kind} rate may exceed stable's by up to {100 * bound:.2g} percentage points"
    if not within:
        return f"not enough evidence: after {seen} {excess}, {100 * rule.tolerance:.2g} are tolerated"
    return f"enough evidence: after {seen} {excess}, within the tolerated {100 * rule.tolerance:.2g}"
