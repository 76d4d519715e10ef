"""A/B: two releases side by side at fixed shares, for a planned time or number of users, and a report on who is better.

A user meets the same release throughout. Harm ends it early, as it does a canary; a win does not: it is looked for in
the end, so that the report is about the planned time. Intervals hold at every look all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from opsloop.releases.experiments.measures import MEASURES
from opsloop.releases.models import RolloutStep
from opsloop.releases.plan import ExperimentPlan, MetricPlan, Plan
from opsloop.releases.strategies._options import Options, read
from opsloop.releases.strategies._way import WayOptions, on_its_way
from opsloop.releases.strategies.canary import AnalysisOptions, as_analysis
from opsloop.releases.strategies.registry import strategy

NAME = "ab"
WEEK_S = 7 * 86_400.0


class MetricOptions(Options):
    """A measure's name alone may be given for the whole."""

    name: Literal["satisfaction", "error", "latency", "abstention", "tokens", "guarded"]
    cap: float | None = Field(None, gt=0.0)
    margin: float | None = Field(None, gt=0.0)

    @model_validator(mode="after")
    def _bounded(self) -> MetricOptions:
        if self.cap is not None and MEASURES[self.name].unit in ("share", "score"):
            raise ValueError(f"no cap: {self.name} lies between 0 and 1")
        return self

    def as_metric(self) -> MetricPlan:
        return MetricPlan(self.name, self.cap or MEASURES[self.name].cap, self.margin)


class ABOptions(WayOptions):
    share: float = Field(0.5, gt=0.0, lt=1.0)
    duration_s: float = Field(WEEK_S, ge=1.0, le=366 * 86_400.0)
    subjects: int = Field(0, ge=0)
    metrics: list[MetricOptions] = Field(
        default=[MetricOptions(name="satisfaction"), MetricOptions(name="error"), MetricOptions(name="latency")],
        min_length=1,
        max_length=6,
    )
    alpha: float = Field(0.05, gt=0.0, lt=1.0)
    on_win: Literal["promote", "hold"] = "hold"
    otherwise: Literal["give_up", "hold"] = "give_up"
    analysis: AnalysisOptions = AnalysisOptions()
    shield: bool = True

    @field_validator("metrics", mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        return (
            [{"name": each} if isinstance(each, str) else each for each in value] if isinstance(value, list) else value
        )

    @field_validator("metrics")
    @classmethod
    def _once(cls, value: list[MetricOptions]) -> list[MetricOptions]:
        if len({each.name for each in value}) < len(value):
            raise ValueError("each metric once")
        return value


@strategy(NAME)
def plan(options: Mapping[str, Any], field: str) -> Plan:
    chosen = read(ABOptions, options, field)
    experiment = ExperimentPlan(
        metrics=tuple(each.as_metric() for each in chosen.metrics),
        duration_s=chosen.duration_s,
        subjects=chosen.subjects,
        alpha=chosen.alpha,
        on_win=chosen.on_win,
        otherwise=chosen.otherwise,
    )
    made = Plan(
        strategy=NAME,
        steps=(RolloutStep(chosen.share, chosen.duration_s, max(1, chosen.subjects)),),
        analysis=as_analysis(chosen.analysis),
        shield=chosen.shield,
        experiment=experiment,
    )
    return on_its_way(made, chosen)
