"""Shadow: the candidate is asked beside stable and never answers, until enough pairs speak for it.

Then it takes over (`then: promote`), or goes on as a canary with the steps of one (`then: canary`, or with options).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field

from opsloop.core.errors import InvalidInput
from opsloop.releases.plan import Plan, ShadowPlan
from opsloop.releases.strategies import canary
from opsloop.releases.strategies._options import read
from opsloop.releases.strategies._way import WayOptions, on_its_way
from opsloop.releases.strategies.canary import AnalysisOptions, as_analysis
from opsloop.releases.strategies.registry import strategy

NAME = "shadow"
PROMOTE = "promote"


class ShadowOptions(WayOptions):
    sample: float = Field(ShadowPlan().sample, gt=0.0, le=1.0)
    min_pairs: int = Field(ShadowPlan().min_pairs, ge=1)
    min_duration_s: float = Field(ShadowPlan().min_duration_s, ge=0.0)
    min_agreement: float | None = Field(None, gt=0.0, le=1.0)
    min_labels: int = Field(ShadowPlan().min_labels, ge=0)
    margin: float = Field(ShadowPlan().margin, ge=0.0, lt=1.0)
    safe_to_repeat: bool = False
    max_tokens: int = Field(0, ge=0)
    analysis: AnalysisOptions = AnalysisOptions()
    then: str | dict[str, Any] = canary.NAME


@strategy(NAME)
def plan(options: Mapping[str, Any], field: str) -> Plan:
    chosen = read(ShadowOptions, options, field)
    shadow = ShadowPlan(
        sample=chosen.sample,
        min_pairs=chosen.min_pairs,
        min_duration_s=chosen.min_duration_s,
        min_agreement=chosen.min_agreement,
        min_labels=chosen.min_labels,
        margin=chosen.margin,
        safe_to_repeat=chosen.safe_to_repeat,
        max_tokens=chosen.max_tokens,
    )
    after = _after(chosen.then, f"{field}.then")
    if after is None:
        return on_its_way(Plan(strategy=NAME, analysis=as_analysis(chosen.analysis), shadow=shadow), chosen)
    options = {"analysis": chosen.analysis, **after}
    watched = canary.plan(options, f"{field}.then.{canary.NAME}")
    return on_its_way(replace(watched, strategy=NAME, shadow=shadow), chosen, marked=watched.approval.places)


def _after(then: str | Mapping[str, Any], field: str) -> Mapping[str, Any] | None:
    """The options of the canary that follows; None when the candidate takes over at once."""
    if then == PROMOTE:
        return None
    if then == canary.NAME:
        return {}
    if isinstance(then, Mapping) and list(then) == [canary.NAME]:
        options = then[canary.NAME] or {}
        if isinstance(options, Mapping):
            return options
    raise InvalidInput(field=field, value=then, wanted=f"{PROMOTE}, {canary.NAME}, or {canary.NAME} with its options")
