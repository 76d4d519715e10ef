"""A source of root causes: it reads what the platform stored around the start of an incident."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.causes.models import Change, Edge, LogTemplate, MetricSeries, ReleaseTraffic
from opsloop.monitoring.instants import microseconds

REFERENCE = timedelta(hours=6)
"""How much of the time before the start says what is usual."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a source.

    Args:
        subjects: where the symptoms are, such as `endpoint/chat`, or names of services.
        near: the subjects and what they are known to call, nearest first.
        endpoints: the platform's endpoints, by name.
    """

    subjects: tuple[str, ...]
    near: tuple[str, ...]
    endpoints: frozenset[str]
    started_at: datetime
    until: datetime

    @property
    def reference_at(self) -> datetime:
        return self.started_at - REFERENCE

    @property
    def start_us(self) -> int:
        return microseconds(self.started_at)

    @property
    def until_us(self) -> int:
        return microseconds(self.until)


@dataclass(frozen=True, slots=True)
class Part:
    """What a source gives; each member is as in `Evidence`."""

    series: tuple[MetricSeries, ...] = ()
    edges: tuple[Edge, ...] = ()
    logs: tuple[LogTemplate, ...] = ()
    releases: tuple[ReleaseTraffic, ...] = ()
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Args: name: for people, in the plural: `metrics`."""

    name: str
    read: Callable[[UnitOfWork, Asked], Part]
