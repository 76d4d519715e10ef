"""Requests of the endpoints: error rate, latency and number by the minute, and what each release answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.causes.models import MetricSeries, ReleaseTraffic, SeriesKind
from opsloop.incidents.causes.source import Asked, Part, Source
from opsloop.monitoring import intervals
from opsloop.monitoring.intervals import Interval
from opsloop.releases import service as releases

STEP_S = 60
MOST_STEPS = 5_000


def _read(uow: UnitOfWork, asked: Asked) -> Part:
    step_s = max(STEP_S, int((asked.until - asked.reference_at).total_seconds() // MOST_STEPS) + 1)
    # Steps begin at the start, so that no minute lies on both sides of it.
    first = asked.started_at - (asked.started_at - asked.reference_at) // timedelta(seconds=step_s) * timedelta(
        seconds=step_s
    )
    found = intervals.listed(uow, since=first, until=asked.until, step_s=step_s)
    numbers = _numbers(uow, {each.removeprefix("endpoint/") for each in asked.subjects} & asked.endpoints)
    return Part(series=tuple(_series(found)), releases=tuple(_traffic(found, numbers, asked.started_at)))


def _numbers(uow: UnitOfWork, endpoints: Iterable[str]) -> dict[str, str]:
    """The number of each release by its id: the audit trail and people speak of numbers."""
    return {each.id: str(each.number) for name in sorted(endpoints) for each in releases.releases(uow, name)}


def _series(found: Iterable[Interval]) -> Iterator[MetricSeries]:
    """One point for each interval with requests."""
    by_endpoint: dict[str, dict[float, list[Interval]]] = {}
    for each in found:
        by_endpoint.setdefault(each.endpoint, {}).setdefault(each.at.timestamp(), []).append(each)
    for endpoint, at in sorted(by_endpoint.items()):
        times = tuple(sorted(at))
        asked = tuple(sum(one.requests for one in at[time]) for time in times)
        rates = tuple(sum(one.errors for one in at[time]) / count for time, count in zip(times, asked, strict=True))
        answered = [(time, mean) for time in times if (mean := _mean_ms(at[time])) is not None]
        place = f"endpoint/{endpoint}"
        yield MetricSeries(place, "error rate", SeriesKind.ERRORS, times, rates)
        yield MetricSeries(place, "requests a minute", SeriesKind.TRAFFIC, times, tuple(map(float, asked)))
        yield MetricSeries(
            place,
            "latency in ms",
            SeriesKind.LATENCY,
            tuple(time for time, _ in answered),
            tuple(mean for _, mean in answered),
        )


def _mean_ms(parts: Sequence[Interval]) -> float | None:
    answered = sum(each.answered for each in parts)
    return sum((each.latency_ms or 0.0) * each.answered for each in parts) / answered if answered else None


def _traffic(found: Iterable[Interval], numbers: dict[str, str], start: datetime) -> Iterator[ReleaseTraffic]:
    by_release: dict[tuple[str, str], list[Interval]] = {}
    for each in found:
        by_release.setdefault((each.endpoint, each.release), []).append(each)
    for (endpoint, release), parts in sorted(by_release.items()):
        yield ReleaseTraffic(
            subject=f"endpoint/{endpoint}",
            release=numbers.get(release, release),
            first_at=parts[0].at,
            last_at=parts[-1].at,
            requests=sum(each.requests for each in parts),
            errors=sum(each.errors for each in parts),
            latency_ms=_mean_ms(parts),
            requests_before=sum(each.requests for each in parts if each.at < start),
            errors_before=sum(each.errors for each in parts if each.at < start),
        )


SOURCE = Source("requests", _read)
