"""Canary: the candidate's share rises in steps, each on evidence, and falls to zero on evidence against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from opsloop.releases.models import RolloutStep
from opsloop.releases.plan import AnalysisPlan, Plan
from opsloop.releases.strategies._options import Options, read
from opsloop.releases.strategies._way import WayOptions, on_its_way
from opsloop.releases.strategies.registry import strategy

NAME = "canary"


class StepOptions(Options):
    """A step; the promotion follows the last one, so its share is below 1. `approve` without a share is no step of its
    own: a person is asked before what comes next.
    """

    approve: bool = False
    share: float | None = Field(None, gt=0.0, lt=1.0, validate_default=True)
    min_duration_s: float = Field(60.0, ge=0.0)
    min_subjects: int = Field(50, ge=1)

    @field_validator("share")
    @classmethod
    def _needed(cls, share: float | None, info: ValidationInfo) -> float | None:
        if share is None and not info.data.get("approve"):
            raise PydanticCustomError("missing", "a share")
        return share

    def as_step(self, share: float) -> RolloutStep:
        return RolloutStep(share, self.min_duration_s, self.min_subjects)


class AnalysisOptions(Options):
    alpha: float = Field(AnalysisPlan().alpha, gt=0.0, lt=1.0)
    tolerance: float = Field(AnalysisPlan().tolerance, gt=0.0, lt=1.0)
    step_alpha: float = Field(AnalysisPlan().step_alpha, gt=0.0, lt=1.0)
    kinds: list[Literal["error", "slow", "dissatisfied", "guarded", "quality"]] = Field(
        ["error", "dissatisfied"], min_length=1
    )
    slow_ms: float = Field(AnalysisPlan().slow_ms, gt=0.0)


class CanaryOptions(WayOptions):
    steps: list[StepOptions] = Field(
        default=[StepOptions(share=0.05), StepOptions(share=0.25), StepOptions(share=0.5)], min_length=1, max_length=50
    )
    analysis: AnalysisOptions = AnalysisOptions()
    min_scores: int = Field(0, ge=0)
    shield: bool = True

    @field_validator("steps")
    @classmethod
    def _rising(cls, steps: list[StepOptions]) -> list[StepOptions]:
        shares = [step.share for step in steps if step.share is not None]
        if not shares:
            raise ValueError("at least one step with a share")
        if shares != sorted(set(shares)):
            raise ValueError("steps whose shares rise")
        return steps


@strategy(NAME)
def plan(options: Mapping[str, Any], field: str) -> Plan:
    chosen = read(CanaryOptions, options, field)
    steps: list[RolloutStep] = []
    marked: list[int] = []
    for each in chosen.steps:
        if each.approve:
            marked.append(len(steps))
        if each.share is not None:
            steps.append(each.as_step(each.share))
    plan = Plan(
        strategy=NAME,
        steps=tuple(steps),
        analysis=as_analysis(chosen.analysis),
        min_scores=chosen.min_scores,
        shield=chosen.shield,
    )
    return on_its_way(plan, chosen, marked=marked)


def as_analysis(options: AnalysisOptions) -> AnalysisPlan:
    kinds = tuple(dict.fromkeys(options.kinds))
    return AnalysisPlan(
        alpha=options.alpha,
        tolerance=options.tolerance,
        step_alpha=options.step_alpha,
        # Labels may never come: what everybody's requests show is watched in any case.
        kinds=kinds if kinds != ("quality",) else ("error", "quality"),
        slow_ms=options.slow_ms,
    )
