"""The nouns of anomalies in metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Watched:
    """A series that is watched. Args: id: stable over time; subject: `endpoint/chat`, or `service/` and its name."""

    id: str
    subject: str
    metric: str


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A point at which a metric left its range. Args: score: 1 at the edge of the range, an alarm from 2 on."""

    id: str
    series: str
    subject: str
    metric: str
    at: datetime
    value: float
    usual: float
    score: float
    sentence: str
