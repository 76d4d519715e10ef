"""A dataset version that is to stand elsewhere, and what became of that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

PublicationId = NewType("PublicationId", str)


class PublicationStatus(StrEnum):
    QUEUED = "queued"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self is not PublicationStatus.QUEUED


@dataclass(frozen=True, slots=True)
class DatasetPublication:
    """`target` is the address that was asked for, `at` the exact state in which it holds the version.

    `is_new` is false when the place held these rows already.
    """

    id: PublicationId
    dataset: str
    target: str
    status: PublicationStatus
    at: str | None
    is_new: bool | None
    rows: int
    error: str | None
    job: str
    created_at: datetime
    created_by: str
    finished_at: datetime | None
