"""What evaluation tells the other slices."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.core.events.types import event_type


@event_type("evaluation.finished")
@dataclass(frozen=True, slots=True)
class EvaluationFinished:
    """`status` is `done` or `failed`."""

    run: str
    experiment: str
    flow: str
    status: str


@event_type("gate.decided")
@dataclass(frozen=True, slots=True)
class GateDecided:
    run: str
    flow: str
    baseline: str | None
    verdict: str
    sentence: str
