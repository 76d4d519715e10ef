"""Which service an incident comes from: it left its usual state, and what it calls did not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opsloop.incidents.causes.callers import Calls, callees, distances
from opsloop.incidents.causes.models import Evidence, LogTemplate, SeriesKind, Suspect, SuspectKind
from opsloop.incidents.causes.scores import Departure, departure

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
PASSED_ON = 0.6
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
    for series in evidence.series:
        found = departure(series, start_s, until_s)
        if found is not None:
            by_service.setdefault(series.service, []).append(found)
    logs: dict[str, list[LogTemplate]] = {}
    for line in evidence.logs:
        if line.before == 0 and line.after > 0:
            logs.setdefault(line.service, []).append(line)
    for service in sorted({*by_service, *logs}):
        departures = sorted(by_service.get(service, ()), key=_weighed, reverse=True)
        new = sorted(logs.get(service, ()), key=lambda each: (-each.after, each.template))
        yield Standing(service, _weight(departures, new), tuple(departures), tuple(new))


def _weighed(found: Departure) -> float:
    return WEIGHTS[found.series.kind] * math.log1p(found.score)


def _weight(departures: list[Departure], new: list[LogTemplate]) -> float:
    """The largest departure, and half a unit for each doubling of lines of a form that was never seen before."""
    strongest = max((_weighed(each) for each in departures if each.score >= LEAST_SCORE), default=0.0)
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
