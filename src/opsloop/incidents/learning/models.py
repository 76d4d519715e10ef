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


MUTED = 1_000_000_000
"""Tellings that no signal reaches: a detector that needs so many is muted."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a detector stands.

    Args:
        signals, going_on: that it found in the last 30 days, and those of them that are not over; seen_at: the last.
        confirmed, false_alarms_ever: closed incidents with its signals that had a cause, and that had none.
        false_alarms: in a row, since the last that had a cause.
        needs_times: how often its signal is told before it opens an incident; 1: at once.
    """

    mark: str
    source: str
    kind: str
    name: str
    signals: int
    going_on: int
    seen_at: datetime | None
    confirmed: int
    false_alarms_ever: int
    false_alarms: int
    needs_times: int
    is_muted: bool

    @property
    def false_alarm_rate(self) -> float | None:
        """Of closed incidents with its signals, those that had no cause, 0 to 1; None without any."""
        closed = self.confirmed + self.false_alarms_ever
        return self.false_alarms_ever / closed if closed else None


@dataclass(frozen=True, slots=True)
class MetricWatch:
    """A watched metric. Args: read_at: instant of its newest point that was looked at; None: none was yet."""

    subject: str
    metric: str
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class LogsWatch:
    """A service whose log records are watched. Args: watched_at: when they were looked at last."""

    service: str
    watched_at: datetime
