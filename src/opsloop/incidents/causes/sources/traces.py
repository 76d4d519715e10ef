"""Traces: latency and errors of each operation, what of them is a part's own, who called whom, and the way between.

A part's own time is that of its spans less that of what they call; its own errors are those of its spans that no failed
call explains. A caller that waits for a slow callee is slow, and its own time is not. The time on the way is what a
caller waited less what its callee took, where both sent a span of the call. Traces are a sample: of much traffic failed
and slow ones are kept more often than others, before the start and after it alike.
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
from opsloop.incidents.topology.own import Visit, Way
from opsloop.incidents.topology.targets import target
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.telemetry import spans

BEFORE, JUST_BEFORE = timedelta(hours=1), timedelta(minutes=2)
FAR, NEAR, AFTER = (58, 8), (24, 5), (24, 20)
"""Equal parts of a time, and traces of each: of the hour before, of its last two minutes, and since the start."""
MOST_SPANS = 20_000
LEAST_STEP_S, MOST_STEP_S, STEPS_AFTER = 5.0, 60.0, 6
"""Seconds of a point, so that an incident that just began has six of them already."""
MOST_OPERATIONS = 10
"""Of one part, those that were asked most."""
LEAST_VISITS = 5

Points = dict[float, list[float]]


def _read(uow: UnitOfWork, asked: Asked) -> Part:
    far_us, near_us = (microseconds(asked.started_at - each) for each in (BEFORE, JUST_BEFORE))
    found = [
        *_sampled(uow, far_us, near_us, FAR),
        *_sampled(uow, near_us, asked.start_us, NEAR),
        *_sampled(uow, asked.start_us, asked.until_us, AFTER),
    ]
    visits = list(own.visits(found))
    start_s, until_s = asked.start_us / 1e6, asked.until_us / 1e6
    step_s = min(max((until_s - start_s) / STEPS_AFTER, LEAST_STEP_S), MOST_STEP_S)
    series = (*_series(visits, start_s, step_s), *_on_the_way(own.ways(found), start_s, step_s))
    return Part(series=series, edges=tuple(_edges(uow, found, asked.start_us)))


def _sampled(uow: UnitOfWork, since_us: int, until_us: int, parts: tuple[int, int]) -> list[spans.StoredSpan]:
    slots, traces = parts
    return spans.sampled(uow, since_us=since_us, until_us=until_us, slots=slots, traces_a_slot=traces, limit=MOST_SPANS)


def _edges(uow: UnitOfWork, found: Iterable[spans.StoredSpan], start_us: int) -> Iterator[Edge]:
    counts = {(target(caller), target(callee)): [0, 0] for caller, callee in service.pairs(uow)}
    for step in steps(found):
        if step.at_us >= start_us:
            of = counts.setdefault((target(step.caller), target(step.callee)), [0, 0])
            of[0] += 1
            of[1] += step.failed
    for (caller, callee), (calls, errors) in sorted(counts.items()):
        yield Edge(caller, callee, calls, errors)


def _series(visits: list[Visit], start_s: float, step_s: float) -> Iterator[MetricSeries]:
    by_place: dict[str, list[Visit]] = {}
    for each in visits:
        by_place.setdefault(each.place, []).append(each)
    for place, of_place in sorted(by_place.items()):
        name = target(place)
        yield from _two(name, "own time in ms", "own error rate", of_place, start_s, step_s, is_own=True)
        by_operation: dict[str, list[Visit]] = {}
        for each in of_place:
            by_operation.setdefault(each.operation, []).append(each)
        often = sorted(by_operation.items(), key=lambda one: (-len(one[1]), one[0]))[:MOST_OPERATIONS]
        for operation, of_operation in often:
            said = operation[:80]
            yield from _two(name, f"latency in ms of {said}", f"error rate of {said}", of_operation, start_s, step_s)


def _two(
    place: str, latency: str, errors: str, visits: list[Visit], start_s: float, step_s: float, *, is_own: bool = False
) -> Iterator[MetricSeries]:
    """Latency of what did not fail, and the share of what did, by steps counted from the start."""
    took, failed = Points(), Points()
    for each in visits:
        at_s = _step(each.at_us, start_s, step_s)
        has_failed = each.failed_itself if is_own else each.failed
        failed.setdefault(at_s, []).append(float(has_failed))
        if not each.failed:
            took.setdefault(at_s, []).append(each.own_ms if is_own else each.duration_ms)
    for metric, kind, points in ((latency, SeriesKind.LATENCY, took), (errors, SeriesKind.ERRORS, failed)):
        if sum(map(len, points.values())) >= LEAST_VISITS:
            times = tuple(sorted(points))
            yield MetricSeries(place, metric, kind, times, tuple(fmean(points[at]) for at in times), is_own)


def _on_the_way(found: Iterable[Way], start_s: float, step_s: float) -> Iterator[MetricSeries]:
    """Of each caller and callee the time of their calls that neither end works in."""
    by_ends: dict[tuple[str, str], Points] = {}
    for each in found:
        points = by_ends.setdefault((target(each.caller), target(each.callee)), Points())
        points.setdefault(_step(each.at_us, start_s, step_s), []).append(each.took_ms)
    for (caller, callee), points in sorted(by_ends.items()):
        if sum(map(len, points.values())) >= LEAST_VISITS:
            times = tuple(sorted(points))
            means = tuple(fmean(points[at]) for at in times)
            yield MetricSeries(callee, "time on the way in ms", SeriesKind.LATENCY, times, means, way_from=caller)


def _step(at_us: int, start_s: float, step_s: float) -> float:
    """Begin of the step that an instant is in."""
    return start_s + (at_us / 1e6 - start_s) // step_s * step_s


SOURCE = Source("traces", _read)
