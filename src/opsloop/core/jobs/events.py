"""What jobs tell the slices whose work they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from opsloop.core.events.types import event_type


@event_type("job.cancelled")
@dataclass(frozen=True, slots=True)
class JobCancelled:
    """A job was cancelled; one that had not begun never does, so whoever waits for its work hears it here alone."""

    job: str
    kind: str
    payload: dict[str, Any]
    by: str


@event_type("job.failed")
@dataclass(frozen=True, slots=True)
class JobFailed:
    """A job ended with an error; `error` is the sentence that says why."""

    job: str
    kind: str
    payload: dict[str, Any]
    error: str
