"""What a rollout is going to do: its steps and what is watched. A strategy makes it; it is stored with the rollout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from opsloop.releases.analysis.evidence import ALPHA, DISSATISFIED, ERROR, SLOW
from opsloop.releases.models import RolloutStep

KINDS = {kind.name: kind for kind in (ERROR, SLOW, DISSATISFIED)}
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
    """

    alpha: float = ALPHA
    tolerance: float = 0.05
    step_alpha: float = 0.05
    kinds: tuple[str, ...] = (ERROR.name, DISSATISFIED.name)
    slow_ms: float = 2_000.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The way of one rollout. Without steps the candidate takes over at once.

    Args:
        strategy: the name of the strategy that made it.
        steps: shares rise from step to step, so that each share belongs to one step.
        shield: whether stable answers a request that the candidate failed before its first byte.
    """

    strategy: str
    steps: tuple[RolloutStep, ...] = ()
    analysis: AnalysisPlan = AnalysisPlan()
    shield: bool = True


def to_stored(plan: Plan) -> dict[str, Any]:
    stored: dict[str, Any] = msgspec.to_builtins(plan)
    return stored


def from_stored(stored: dict[str, Any]) -> Plan:
    return msgspec.convert(stored, Plan)
