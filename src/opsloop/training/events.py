"""What other slices hear of training."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.core.events.types import event_type


@event_type("training.finished")
@dataclass(frozen=True, slots=True)
class TrainingFinished:
    """A run made a version of a model, which is its challenger now.

    `endpoint` is the one that the run was started for, if there was one.
    """

    run: str
    pipeline: str
    model: str
    version: int
    endpoint: str | None
    trigger: str


@event_type("training.failed")
@dataclass(frozen=True, slots=True)
class TrainingFailed:
    """A run made no version: it failed or was cancelled, as `reason` says."""

    run: str
    pipeline: str
    endpoint: str | None
    trigger: str
    reason: str


@event_type("training.skipped")
@dataclass(frozen=True, slots=True)
class TrainingSkipped:
    """A run had nothing new to learn from: `model` and `version` are those of run `same_as`, and stand."""

    run: str
    pipeline: str
    model: str
    version: int
    endpoint: str | None
    trigger: str
    reason: str
    same_as: str
