"""Watched models: drift, alarms, labels and performance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.monitoring.alarms.models import Alarm
from opsloop.monitoring.drift.reports import Distribution, DriftReport
from opsloop.monitoring.performance.reports import PerformanceReport
from opsloop.monitoring.predictions.models import ScorePoint
from opsloop.monitoring.segments.reports import SegmentReport

AT_ONCE = 5_000
"""Labels in one request."""


@dataclass(frozen=True, slots=True)
class LabelAnswer:
    request_id: str
    row: int
    outcome: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class LabelsAdded:
    """How many labels were kept and so on; `labels` says of each what became of it."""

    kept: int
    waiting: int
    same: int
    changed: int
    refused: int
    labels: tuple[LabelAnswer, ...]


@dataclass(frozen=True, slots=True)
class ExportedRows:
    dataset: str
    labelled: int
    served: int
    sentence: str


class Watching:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def drift(self, endpoint: str, *, release: str | None = None) -> DriftReport:
        return self._connection.get(path("api", "endpoints", endpoint, "drift"), DriftReport, release=release)

    def scores(self, endpoint: str, *, window_s: int = 86_400, points: int = 60) -> list[ScorePoint]:
        at = path("api", "endpoints", endpoint, "drift", "scores")
        return self._connection.items(at, ScorePoint, window=window_s, points=points)

    def distribution(self, endpoint: str, feature: str) -> Distribution:
        """An input's shares in the reference and now; `prediction` is a feature too."""
        return self._connection.get(path("api", "endpoints", endpoint, "drift", "features", feature), Distribution)

    def performance(self, endpoint: str, *, window_s: int = 7 * 86_400) -> PerformanceReport:
        at = path("api", "endpoints", endpoint, "performance")
        return self._connection.get(at, PerformanceReport, window=window_s)

    def segments(self, endpoint: str, feature: str, *, window_s: int = 7 * 86_400) -> SegmentReport:
        at = path("api", "endpoints", endpoint, "segments")
        return self._connection.get(at, SegmentReport, by=feature, window=window_s)

    def alarms(self, *, endpoint: str | None = None, state: str | None = None, limit: int = 100) -> list[Alarm]:
        """The newest first."""
        return self._connection.items("/api/alarms", Alarm, endpoint=endpoint, state=state, limit=limit)

    def acknowledge(self, alarm: str) -> Alarm:
        return self._connection.post(path("api", "alarms", alarm, "acknowledge"), Alarm)

    def close(self, endpoint: str, *, reason: str, accept: bool = False) -> Alarm:
        """End the newest open alarm of an endpoint; `accept`: what comes now is the new normal."""
        at = path("api", "endpoints", endpoint, "drift", "close")
        return self._connection.post(at, Alarm, body={"reason": reason, "accept": accept})

    def label(self, endpoint: str, labels: Iterable[Mapping[str, Any]]) -> Iterator[LabelsAdded]:
        """Send labels (`request_id`, `row`, `label`), some thousands at a time; what became of each part."""
        waiting = iter(labels)
        while part := list(islice(waiting, AT_ONCE)):
            yield self._connection.post(path("endpoints", endpoint, "labels"), LabelsAdded, body={"labels": part})

    def export(
        self, endpoint: str, dataset: str, *, days: float | None = None, rows: int | None = None, origin: bool = False
    ) -> ExportedRows:
        """Make a dataset version of labelled rows."""
        body = {"dataset": dataset, "days": days, "rows": rows, "with_origin": origin}
        return self._connection.post(path("api", "endpoints", endpoint, "export"), ExportedRows, body=body)
