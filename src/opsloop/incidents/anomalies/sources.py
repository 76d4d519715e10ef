"""Where watched series come from: what endpoints answered by the minute, and points that other services send."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import sent_metrics
from opsloop.incidents.anomalies.models import Watched
from opsloop.monitoring import intervals
from opsloop.monitoring.instants import instant_of, microseconds
from opsloop.monitoring.telemetry import history
from opsloop.releases import service as releases

MINUTE_US = 60_000_000
SETTLED = timedelta(seconds=30)
"""After a minute's end: records of requests that took their time have arrived then."""
LOOKED_BACK = timedelta(days=1)
MOST_SERIES = 200
MOST_POINTS = 1_500
ENDPOINT_METRICS = ("error rate", "latency in ms", "requests a minute")

Points = list[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Read:
    """New points, oldest first, each with its instant. Args: until_us: how far was read, also where nothing came."""

    points: Points
    until_us: int


def watched(uow: UnitOfWork) -> list[Watched]:
    """Series that may have new points: of endpoints, then of telemetry, at most 200 of each."""
    names = [state.endpoint.name for state in releases.endpoints(uow)]
    found = [Watched(f"{metric}/{name}", f"endpoint/{name}", metric) for name in names for metric in ENDPOINT_METRICS]
    since_us = microseconds(uow.clock.now() - LOOKED_BACK)
    sent = history.series(uow, seen_since_us=since_us, limit=MOST_SERIES)
    return [*found[:MOST_SERIES], *(_of_telemetry(each) for each in sent)]


def _of_telemetry(line: history.SeriesLine) -> Watched:
    return Watched(f"telemetry/{line.kind}/{line.id}", f"service/{line.service}", sent_metrics.name_of(line))


def start_us(uow: UnitOfWork, series: Watched) -> int:
    """Where the reading of a series begins that was not watched before: of an endpoint's not before it was made, for
    the silence before that is no usual state."""
    since = uow.clock.now() - LOOKED_BACK
    if not series.id.startswith("telemetry/"):
        since = max(since, releases.endpoint(uow, series.subject.removeprefix("endpoint/")).endpoint.created_at)
    return microseconds(since) // MINUTE_US * MINUTE_US


def points(uow: UnitOfWork, series: Watched, *, after_us: int) -> Read:
    """New points; a part of them where there are very many. Those that are no number are left out."""
    if series.id.startswith("telemetry/"):
        return _sent(uow, series, after_us)
    return _answered(uow, series, after_us)


def _answered(uow: UnitOfWork, series: Watched, after_us: int) -> Read:
    """The endpoint's whole minutes. One without requests is a point only of how many there were."""
    first_us = after_us + MINUTE_US
    last_us = microseconds(uow.clock.now() - SETTLED) // MINUTE_US * MINUTE_US
    last_us = min(last_us, first_us + MOST_POINTS * MINUTE_US)
    if last_us <= first_us:
        return Read([], after_us)
    endpoint = series.subject.removeprefix("endpoint/")
    found: dict[int, list[intervals.Interval]] = {}
    since, until = instant_of(first_us), instant_of(last_us)
    for each in intervals.listed(uow, since=since, until=until, endpoints=(endpoint,)):
        found.setdefault(microseconds(each.at), []).append(each)
    times = range(first_us, last_us, MINUTE_US)
    read = ((at, _figure(series.metric, found.get(at, []))) for at in times)
    return Read([(at, value) for at, value in read if value is not None], last_us - MINUTE_US)


def _figure(metric: str, parts: list[intervals.Interval]) -> float | None:
    requests, answered = sum(each.requests for each in parts), sum(each.answered for each in parts)
    if metric == "requests a minute":
        return float(requests)
    if metric == "error rate":
        return sum(each.errors for each in parts) / requests if requests else None
    return sum((each.latency_ms or 0.0) * each.answered for each in parts) / answered if answered else None


def _sent(uow: UnitOfWork, series: Watched, after_us: int) -> Read:
    _, kind, id = series.id.split("/", 2)
    until_us = microseconds(uow.clock.now())
    found = history.points(uow, id, after_us=after_us, until_us=until_us, limit=MOST_POINTS)
    read_us = found[-1].at_us if found else after_us
    if sent_metrics.is_counter(kind):
        found = [*history.points(uow, id, after_us=after_us - 1, until_us=after_us, limit=1), *found]
    return Read(list(sent_metrics.values(kind, found)), read_us)


def short_id(series: str) -> str:
    """A series' id in 16 characters."""
    return hashlib.sha256(series.encode()).hexdigest()[:16]
