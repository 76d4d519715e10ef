"""Metrics that services send over OTLP; of very many those of the subjects and of what they call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import sent_metrics
from opsloop.incidents.causes.models import MetricSeries, SeriesKind
from opsloop.incidents.causes.source import Asked, Part, Source
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.telemetry import history
from opsloop.monitoring.telemetry.history import SeriesLine

MOST_NEAR, MOST_OTHERS = 200, 100
MOST_POINTS = 2_000
# Words of a metric's name, the first that fits, as OpenTelemetry's conventions and Prometheus' exporters have them.
_KINDS = (
    (SeriesKind.ERRORS, re.compile(r"error|fail|exception|5xx|reject|timeout|dropped")),
    (SeriesKind.AVAILABILITY, re.compile(r"availab|success|(^|[._])up$|healthy|ready")),
    (SeriesKind.LATENCY, re.compile(r"latency|duration|response_time|elapsed|wait")),
    (
        SeriesKind.RESOURCE,
        re.compile(
            r"cpu|mem|heap|disk|filesystem|usage|utiliz|saturat|gc|thread|queue|lag|pending|restart|pool|inflight"
        ),
    ),
    (SeriesKind.TRAFFIC, re.compile(r"request|calls|throughput|messages|bytes|packets|total$|count$")),
)


def kind_of(name: str) -> SeriesKind:
    """What a metric tells, by its name."""
    lowered = name.lower()
    return next((kind for kind, words in _KINDS if words.search(lowered)), SeriesKind.OTHER)


def _read(uow: UnitOfWork, asked: Asked) -> Part:
    seen_us = microseconds(asked.reference_at)
    near = history.series(uow, seen_since_us=seen_us, limit=MOST_NEAR, services=asked.near)
    others = history.series(uow, seen_since_us=seen_us, limit=MOST_OTHERS)
    lines = {each.id: each for each in (*near, *others)}
    return Part(series=tuple(_series(uow, asked, lines.values())))


def _series(uow: UnitOfWork, asked: Asked, lines: Iterable[SeriesLine]) -> Iterator[MetricSeries]:
    for line in lines:
        found = _values(uow, asked, line)
        if found:
            times, values = zip(*found, strict=True)
            yield MetricSeries(line.service, sent_metrics.name_of(line), kind_of(line.name), times, values)


def _values(uow: UnitOfWork, asked: Asked, line: SeriesLine) -> list[tuple[float, float]]:
    found = history.newest(
        uow, line.id, after_us=microseconds(asked.reference_at), until_us=asked.until_us, limit=MOST_POINTS
    )
    return [(at_us / 1e6, value) for at_us, value in sent_metrics.values(line.kind, found)]


SOURCE = Source("metrics", _read)
