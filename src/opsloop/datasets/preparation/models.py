"""The nouns of preparations: what is declared, and what a run of one did."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

PreparationRunId = NewType("PreparationRunId", str)


class PreparationStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (PreparationStatus.DONE, PreparationStatus.FAILED)


@dataclass(frozen=True, slots=True)
class Preparation:
    """A declared preparation as the platform keeps it; `declared` is its section of `opsloop.yaml`, with its code."""

    name: str
    declared: dict[str, Any]
    schedule: str | None
    next_at: datetime | None
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one step did.

    `dropped` counts rows that are gone; `are_kept` says whether they can be looked at. A step that makes rows of its
    own (`sql`, `python`) drops none: its rows are others.
    """

    step: str
    rows_in: int
    rows_out: int
    dropped: int = 0
    are_kept: bool = False
    says: str = ""


@dataclass(frozen=True, slots=True)
class MadeVersion:
    """A version that a run registered; `is_new` is false when the dataset had these rows already."""

    ref: str
    rows: int
    is_new: bool
    split: str = ""


@dataclass(frozen=True, slots=True)
class PreparationRun:
    """One run: what it read, exactly; what each step did; which versions it made.

    `same_as` names the earlier run whose versions stand, when neither the source nor the declaration has changed since.
    """

    id: PreparationRunId
    preparation: str
    declared: dict[str, Any]
    status: PreparationStatus
    sources: tuple[str, ...]
    steps: tuple[StepReport, ...]
    versions: tuple[MadeVersion, ...]
    same_as: str | None
    error: str | None
    job: str
    done: int
    total: int
    message: str
    created_at: datetime
    created_by: str
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class DroppedRow:
    """A row that a step dropped: its number in what the run read, from 1, and its values then."""

    row: int
    values: dict[str, Any] = field(default_factory=dict)
