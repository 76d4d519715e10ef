"""The nouns of training as a platform keeps them: declared pipelines, and runs of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

TrainingRunId = NewType("TrainingRunId", str)


class TrainingStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self not in (TrainingStatus.QUEUED, TrainingStatus.RUNNING)


class Trigger(StrEnum):
    """What set a run off."""

    DEMAND = "demand"
    SCHEDULE = "schedule"
    WEBHOOK = "webhook"
    DRIFT = "drift"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A declared pipeline as the platform keeps it.

    `declared` is its section of `opsloop.yaml`; `version` counts what it was, by `digest`, which names what is learned
    and how: a change of its schedule makes no new one. `code` names the files of Python that go with it, by what is in
    them; it is empty where there are none.
    """

    name: str
    declared: dict[str, Any]
    version: int
    digest: str
    code: str
    schedule: str | None
    next_at: datetime | None
    updated_at: datetime
    updated_by: str

    @property
    def ref(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """One line of what a run did, `after_s` seconds from its start."""

    name: str
    says: str
    after_s: float


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One run of a pipeline.

    `dataset` and `window` are what was asked for, `data` is the version it learned from, with the `rows` of it.
    `model` is the version it made (`iris@3`), or, of a skipped run, the one that stands. `artifacts` are keys of the
    artifact store by what they are: `model`, `metrics` and `metrics_json`. `report` holds what the training found:
    folds, importance, parameters. `same_as` names the run after which nothing has changed.
    """

    id: TrainingRunId
    pipeline: str
    pipeline_version: int
    trigger: str
    reason: str
    endpoint: str | None
    status: TrainingStatus
    dataset: str
    window: dict[str, Any]
    force: bool
    data: str | None
    rows: int | None
    model: str | None
    artifacts: Mapping[str, str]
    metrics: Mapping[str, float]
    same_as: str | None
    error: str | None
    job: str
    done: int
    total: int
    message: str
    created_at: datetime
    created_by: str
    started_at: datetime | None
    finished_at: datetime | None
    steps: tuple[TrainingStep, ...] = ()
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def took_s(self) -> float | None:
        """From its start to its end, in seconds."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()
