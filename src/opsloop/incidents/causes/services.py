"""Which service an incident comes from: it left its usual state, and what it calls did not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opsloop.incidents.causes.callers import Calls, callees, distances
from opsloop.incidents.causes.models import Evidence, LogTemplate, MetricSeries, SeriesKind, Suspect, SuspectKind
from opsloop.incidents.causes.scores import RATES, Departure, departure

LEAST_SCORE = 4.0
"""Spreads by which a metric must leave its reference for its service to be suspected at all."""
# A symptom tells more of where it hurts than how busy something is; a change of traffic is mostly an effect.
WEIGHTS = {
    SeriesKind.LATENCY: 1.0,
    SeriesKind.ERRORS: 1.0,
    SeriesKind.AVAILABILITY: 1.0,
    SeriesKind.RESOURCE: 1.0,
    SeriesKind.TRAFFIC: 0.3,
    SeriesKind.OTHER: 0.5,
}
OTHER_SYMPTOM = 0.2
"""What a departure counts that is of another kind than the symptoms, where that kind is known."""
PASSED_ON = 0.3
"""Share of a callee's weight that explains its caller's: the caller waits for it and hands its errors on."""
NOT_REACHED = 0.3
"""What is left of a suspicion of a service that the subjects do not call, where a call graph is known."""
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """A service and what its metrics and logs say. `weight` is on a logarithmic scale, 0 for a usual state."""

    service: str
    weight: float
    departures: tuple[Departure, ...]
    logs: tuple[LogTemplate, ...]


def ranked(evidence: Evidence) -> list[Suspect]:
    """Services that left their usual state, the likeliest first."""
    standings = {each.service: each for each in _standings(evidence)}
    calls = callees(evidence.edges)
    near = distances(calls, evidence.subjects)
    found = [_suspect(each, standings, calls, near) for each in standings.values() if each.weight > 0]
    return sorted((each for each in found if each.score > 0), key=lambda each: (-each.score, each.subject))


def _standings(evidence: Evidence) -> Iterable[Standing]:
    start_s, until_s = evidence.started_at.timestamp(), evidence.until.timestamp()
    by_service: dict[str, list[Departure]] = {}
    asked = {
        each.service: _asked(each, start_s, until_s) for each in evidence.series if each.kind is SeriesKind.TRAFFIC
    }
    for series in evidence.series:
        found = departure(series, start_s, until_s, requests=asked.get(series.service))
        if found is not None:
            by_service.setdefault(series.service, []).append(found)
    logs: dict[str, list[LogTemplate]] = {}
    for line in evidence.logs:
        if line.before == 0 and line.after > 0:
            logs.setdefault(line.service, []).append(line)
    for service in sorted({*by_service, *logs}):
        departures = sorted(by_service.get(service, ()), key=lambda each: -_weighed(each, evidence.symptom))
        new = sorted(logs.get(service, ()), key=lambda each: (-each.after, each.template))
        weight = _weight(departures, new, evidence.symptom)
        yield Standing(service, weight, tuple(departures), tuple(new))


def _asked(series: MetricSeries, start_s: float, until_s: float) -> float:
    """How many requests came from the start on."""
    return sum(value for at, value in zip(series.times_s, series.values, strict=True) if start_s <= at < until_s)


def _weighed(found: Departure, symptom: SeriesKind | None) -> float:
    kind = found.series.kind
    is_of_symptom = symptom is None or kind is symptom or {kind, symptom} <= RATES
    return WEIGHTS[kind] * math.log1p(found.score) * (1.0 if is_of_symptom else OTHER_SYMPTOM)


def _weight(departures: list[Departure], new: list[LogTemplate], symptom: SeriesKind | None) -> float:
    """The largest departure, and half a unit for each doubling of lines of a form that was never seen before."""
    strongest = max((_weighed(each, symptom) for each in departures if each.score >= LEAST_SCORE), default=0.0)
    return strongest + 0.5 * math.log2(1 + sum(each.after for each in new))


def _suspect(standing: Standing, standings: Mapping[str, Standing], calls: Calls, near: Mapping[str, int]) -> Suspect:
    below = [standings[each] for each in calls.get(standing.service, ()) if each in standings]
    worst = max(below, key=lambda each: (each.weight, each.service), default=None)
    explained = PASSED_ON * worst.weight if worst is not None else 0.0
    weight = max(0.0, standing.weight - explained)
    against: list[str] = []
    if worst is not None and worst.weight > 0:
        against.append(f"{worst.service}, which it calls, left its usual state too and explains part of it")
    if calls and standing.service not in near:
        weight *= NOT_REACHED
        against.append("none of the services with symptoms calls it, as far as the call graph is known")
    for each in [each for each in standing.departures if each.was_off][:1]:
        against.append(f"{each.series.metric} stood near {each.now:.4g} before the start already")
    quiet = sum(each.score < LEAST_SCORE for each in standing.departures)
    if quiet:
        against.append(f"{quiet} of its {len(standing.departures)} metrics stayed as they were")
    return Suspect(
        SuspectKind.SERVICE,
        standing.service,
        round(1 - math.exp(-weight / 3), 4),
        tuple(_said(standing)),
        tuple(against),
    )


def _said(standing: Standing) -> Iterable[str]:
    for each in [each for each in standing.departures if each.score >= LEAST_SCORE][:SHOWN]:
        yield each.sentence
    for line in standing.logs[:SHOWN]:
        yield f"{line.service} wrote {line.after} lines of a form that was not there before: {line.template[:160]}"
