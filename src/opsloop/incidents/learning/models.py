"""The nouns of learning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Detector:
    """What finds signals, and how it did.

    Args:
        false_alarms: incidents with its signals that were called false alarms, since the last that was not.
        confirmed: incidents with its signals that had a cause.
        needs_times: how often its signal is told before it opens an incident; 1: at once.
    """

    mark: str
    source: str
    kind: str
    name: str
    false_alarms: int
    confirmed: int
    needs_times: int
    changed_at: datetime
    changed_by: str
