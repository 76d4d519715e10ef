"""Canary: the candidate's share rises in steps, each on evidence, and falls to zero on evidence against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from opsloop.releases.models import RolloutStep
from opsloop.releases.plan import AnalysisPlan, Plan
from opsloop.releases.strategies._options import Options, read
from opsloop.releases.strategies.registry import strategy

NAME = "canary"


class StepOptions(Options):
    """A step; the promotion follows the last one, so its share is below 1."""

    share: float = Field(gt=0.0, lt=1.0)
    min_duration_s: float = Field(60.0, ge=0.0)
    min_subjects: int = Field(50, ge=1)


class AnalysisOptions(Options):
    alpha: float = Field(AnalysisPlan().alpha, gt=0.0, lt=1.0)
    tolerance: float = Field(AnalysisPlan().tolerance, gt=0.0, lt=1.0)
    step_alpha: float = Field(AnalysisPlan().step_alpha, gt=0.0, lt=1.0)
    kinds: list[Literal["error", "slow", "dissatisfied", "quality"]] = Field(["error", "dissatisfied"], min_length=1)
    slow_ms: float = Field(AnalysisPlan().slow_ms, gt=0.0)


class CanaryOptions(Options):
    steps: list[StepOptions] = Field(
        default=[StepOptions(share=0.05), StepOptions(share=0.25), StepOptions(share=0.5)], min_length=1, max_length=50
    )
    analysis: AnalysisOptions = AnalysisOptions()
    shield: bool = True

    @field_validator("steps")
    @classmethod
    def _rising(cls, steps: list[StepOptions]) -> list[StepOptions]:
        shares = [step.share for step in steps]
        if shares != sorted(set(shares)):
            raise ValueError("steps whose shares rise")
        return steps


@strategy(NAME)
def plan(options: Mapping[str, Any], field: str) -> Plan:
    chosen = read(CanaryOptions, options, field)
    return Plan(
        strategy=NAME,
        steps=tuple(RolloutStep(step.share, step.min_duration_s, step.min_subjects) for step in chosen.steps),
        analysis=as_analysis(chosen.analysis),
        shield=chosen.shield,
    )


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
