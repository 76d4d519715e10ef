"""Traces: latency and errors of each operation, what of them is a part's own, and who called whom.

A part's own time is that of its spans less that of what they call; its own errors are those of its spans that no failed
call explains. A caller that waits for a slow callee is slow, and its own time is not. Traces are a sample: of much
traffic failed and slow ones are kept more often than others, before the start and after it alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from statistics import fmean

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.causes.models import Edge, MetricSeries, SeriesKind
from opsloop.incidents.causes.source import Asked, Part, Source
from opsloop.incidents.topology import own, service
from opsloop.incidents.topology.deriving import steps
from opsloop.incidents.topology.own import Visit
from opsloop.incidents.topology.targets import target
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.telemetry import spans

BEFORE = timedelta(hours=1)
SLOTS_BEFORE, SLOTS_AFTER, TRACES_A_SLOT, MOST_SPANS = 12, 12, 40, 20_000
STEP_S = 60.0
MOST_OPERATIONS = 10
"""Of one part, those that were asked most."""
LEAST_VISITS = 5

Points = dict[float, list[float]]


def _read(uow: UnitOfWork, asked: Asked) -> Part:
    since_us = microseconds(asked.started_at - BEFORE)
    found = [
        *_sampled(uow, since_us, asked.start_us, SLOTS_BEFORE),
        *_sampled(uow, asked.start_us, asked.until_us, SLOTS_AFTER),
    ]
    visits = list(own.visits(found))
    return Part(series=tuple(_series(visits, asked.start_us / 1e6)), edges=tuple(_edges(uow, found, asked.start_us)))


def _sampled(uow: UnitOfWork, since_us: int, until_us: int, slots: int) -> list[spans.StoredSpan]:
    return spans.sampled(
        uow, since_us=since_us, until_us=until_us, slots=slots, traces_a_slot=TRACES_A_SLOT, limit=MOST_SPANS
    )


def _edges(uow: UnitOfWork, found: Iterable[spans.StoredSpan], start_us: int) -> Iterator[Edge]:
    counts = {(target(caller), target(callee)): [0, 0] for caller, callee in service.pairs(uow)}
    for step in steps(found):
        if step.at_us >= start_us:
            of = counts.setdefault((target(step.caller), target(step.callee)), [0, 0])
            of[0] += 1
            of[1] += step.failed
    for (caller, callee), (calls, errors) in sorted(counts.items()):
        yield Edge(caller, callee, calls, errors)


def _series(visits: list[Visit], start_s: float) -> Iterator[MetricSeries]:
    by_place: dict[str, list[Visit]] = {}
    for each in visits:
        by_place.setdefault(each.place, []).append(each)
    for place, of_place in sorted(by_place.items()):
        name = target(place)
        yield from _two(name, "own time in ms", "own error rate", of_place, start_s, is_own=True)
        by_operation: dict[str, list[Visit]] = {}
        for each in of_place:
            by_operation.setdefault(each.operation, []).append(each)
        often = sorted(by_operation.items(), key=lambda one: (-len(one[1]), one[0]))[:MOST_OPERATIONS]
        for operation, of_operation in often:
            said = operation[:80]
            yield from _two(name, f"latency in ms of {said}", f"error rate of {said}", of_operation, start_s)


def _two(
    place: str, latency: str, errors: str, visits: list[Visit], start_s: float, *, is_own: bool = False
) -> Iterator[MetricSeries]:
    """Latency of what did not fail, and the share of what did, by the minute counted from the start."""
    took, failed = Points(), Points()
    for each in visits:
        at_s = start_s + (each.at_us / 1e6 - start_s) // STEP_S * STEP_S
        has_failed = each.failed_itself if is_own else each.failed
        failed.setdefault(at_s, []).append(float(has_failed))
        if not each.failed:
            took.setdefault(at_s, []).append(each.own_ms if is_own else each.duration_ms)
    for metric, kind, points in ((latency, SeriesKind.LATENCY, took), (errors, SeriesKind.ERRORS, failed)):
        if sum(map(len, points.values())) >= LEAST_VISITS:
            times = tuple(sorted(points))
            yield MetricSeries(place, metric, kind, times, tuple(fmean(points[at]) for at in times), is_own)


SOURCE = Source("traces", _read)
