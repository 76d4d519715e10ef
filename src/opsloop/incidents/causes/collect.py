"""Collect what the platform has stored about an incident's time, from every source, on one timeline."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Sequence
from datetime import datetime

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.causes import sources
from opsloop.incidents.causes.callers import callees, distances
from opsloop.incidents.causes.models import Edge, Evidence
from opsloop.incidents.causes.source import Asked, Source
from opsloop.incidents.topology import service as topology
from opsloop.incidents.topology.targets import target
from opsloop.releases import service as releases

MOST_NEAR = 100


def evidence(uow: UnitOfWork, *, subjects: Sequence[str], started_at: datetime, until: datetime) -> Evidence:
    """What is stored of the time around a start. Args: subjects: such as `endpoint/chat`, or names of services."""
    endpoints = frozenset(state.endpoint.name for state in releases.endpoints(uow))
    mine = tuple(f"endpoint/{each}" if each in endpoints else each for each in subjects)
    asked = Asked(mine, _near(uow, mine), endpoints, started_at, until)
    parts = [each.read(uow, asked) for each in known()]
    return Evidence(
        subjects=mine,
        started_at=started_at,
        until=until,
        series=tuple(each for part in parts for each in part.series),
        edges=tuple(each for part in parts for each in part.edges),
        logs=tuple(each for part in parts for each in part.logs),
        releases=tuple(each for part in parts for each in part.releases),
        changes=tuple(each for part in parts for each in part.changes),
    )


def _near(uow: UnitOfWork, subjects: tuple[str, ...]) -> tuple[str, ...]:
    edges = [Edge(target(caller), target(callee)) for caller, callee in topology.pairs(uow)]
    found = distances(callees(edges), subjects)
    return tuple(sorted(found, key=lambda each: (found[each], each))[:MOST_NEAR])


@functools.cache
def known() -> tuple[Source, ...]:
    """Every source in `sources/`, by name."""
    names = [each.name for each in pkgutil.iter_modules(sources.__path__)]
    found = [importlib.import_module(f"{sources.__name__}.{name}").SOURCE for name in names]
    return tuple(sorted(found, key=lambda each: each.name))
def _numbers(uow: UnitOfWork, endpoints: Iterable[str]) -> dict[str, str]:
    """The number of each release by its id: the audit trail and people speak of numbers."""
    return {each.id: str(each.number) for name in sorted(endpoints) for each in releases.releases(uow, name)}


def _changes(uow: UnitOfWork, started_at: datetime, until: datetime) -> Iterable[Change]:
    """Changes with, for a release that took over, the one that it replaced, where the trail says so."""
    last: dict[str, str | None] = {}
    for change in changes.listed(uow, since=started_at - CHANGES_BACK, until=until):
        if change.kind is ChangeKind.RELEASE:
            known = change.before or last.get(change.subject)
            yield replace(change, before=known if known != change.after else None)
            if change.action in ("rollout.promoted", "endpoint.rolled_back", "endpoint.reinstated"):
                last[change.subject] = change.after
        else:
            yield change


def _series(found: Iterable[Interval]) -> Iterable[MetricSeries]:
    """Error rate and latency of each endpoint, one point for each interval with requests."""
    by_endpoint: dict[str, dict[float, list[Interval]]] = {}
    for each in found:
        by_endpoint.setdefault(each.endpoint, {}).setdefault(each.at.timestamp(), []).append(each)
    for endpoint, at in sorted(by_endpoint.items()):
        times = sorted(at)
        rates = [sum(one.errors for one in at[time]) / sum(one.requests for one in at[time]) for time in times]
        yield MetricSeries(f"endpoint/{endpoint}", "error rate", SeriesKind.ERRORS, tuple(times), tuple(rates))
        answered = [(time, mean) for time in times if (mean := _mean_ms(at[time])) is not None]
        yield MetricSeries(
            f"endpoint/{endpoint}",
            "latency in ms",
            SeriesKind.LATENCY,
            tuple(time for time, _ in answered),
            tuple(mean for _, mean in answered),
        )


def _mean_ms(parts: Sequence[Interval]) -> float | None:
    answered = sum(each.answered for each in parts)
    return sum((each.latency_ms or 0.0) * each.answered for each in parts) / answered if answered else None


def _traffic(found: Iterable[Interval], numbers: dict[str, str]) -> Iterable[ReleaseTraffic]:
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
        )
