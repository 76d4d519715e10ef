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
CALLEES = 0.2
"""What a departure counts that a part's own figures do not show: then it comes from what the part calls."""
NOT_AN_ERROR = 0.25
"""What lines count that do not say that they are errors."""
MORE_LINES, MOST_EXPECTED = 3.0, 10.0
"""Times and lines by which a known form of line must come more often than expected."""
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
    spared: tuple[str, ...] = ()


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
        if _weight_of_lines(line) > 0:
            logs.setdefault(line.service, []).append(line)
    for service in sorted({*by_service, *logs}):
        own = _own_scores(by_service.get(service, ()))
        weighed = [(_weighed(each, evidence.symptom, own), each) for each in by_service.get(service, ())]
        weighed.sort(key=lambda each: (-each[0], each[1].series.metric))
        lines = sorted(logs.get(service, ()), key=lambda each: (-_weight_of_lines(each), each.template))
        strongest = max((weight for weight, each in weighed if each.score >= LEAST_SCORE), default=0.0)
        weight = strongest + sum(_weight_of_lines(each) for each in lines[:SHOWN])
        yield Standing(service, weight, tuple(each for _, each in weighed), tuple(lines), tuple(_spared(weighed, own)))


def _asked(series: MetricSeries, start_s: float, until_s: float) -> float:
    """How many requests came from the start on."""
    return sum(value for at, value in zip(series.times_s, series.values, strict=True) if start_s <= at < until_s)


def _own_scores(found: Iterable[Departure]) -> dict[SeriesKind, float]:
    """How far latency and errors of the part alone went, where that is known."""
    own: dict[SeriesKind, float] = {}
    for each in found:
        if each.series.is_own:
            own[each.series.kind] = max(own.get(each.series.kind, 0.0), each.score)
    return own


def _weighed(found: Departure, symptom: SeriesKind | None, own: Mapping[SeriesKind, float]) -> float:
    kind = found.series.kind
    is_of_symptom = symptom is None or kind is symptom or {kind, symptom} <= RATES
    weight = WEIGHTS[kind] * math.log1p(found.score) * (1.0 if is_of_symptom else OTHER_SYMPTOM)
    return weight * (CALLEES if _is_callees(found, own) else 1.0)


def _is_callees(found: Departure, own: Mapping[SeriesKind, float]) -> bool:
    kind = SeriesKind.ERRORS if found.series.kind in RATES else found.series.kind
    return not found.series.is_own and own.get(kind, LEAST_SCORE) < LEAST_SCORE


def _spared(weighed: Iterable[tuple[float, Departure]], own: Mapping[SeriesKind, float]) -> Iterable[str]:
    """What of it is not its own, in words."""
    kinds = {
        SeriesKind.ERRORS if each.series.kind in RATES else each.series.kind
        for _, each in weighed
        if each.score >= LEAST_SCORE and _is_callees(each, own)
    }
    if SeriesKind.LATENCY in kinds:
        yield "its own time stayed as it was: it waits for what it calls"
    if SeriesKind.ERRORS in kinds:
        yield "its own errors stayed as they were: what fails is what it calls"


def _weight_of_lines(found: LogTemplate) -> float:
    """Half a unit for each doubling of lines of a form that was never seen, or over those that were to come."""
    scale = 0.5 * (1.0 if found.is_error else NOT_AN_ERROR)
    if found.before == 0:
        return scale * math.log2(1 + found.after)
    if found.expected is None or found.after < MORE_LINES * found.expected + MOST_EXPECTED:
        return 0.0
    return scale * math.log2((1 + found.after) / (1 + found.expected))


def _suspect(standing: Standing, standings: Mapping[str, Standing], calls: Calls, near: Mapping[str, int]) -> Suspect:
    below = [standings[each] for each in calls.get(standing.service, ()) if each in standings]
    worst = max(below, key=lambda each: (each.weight, each.service), default=None)
    explained = PASSED_ON * worst.weight if worst is not None else 0.0
    weight = max(0.0, standing.weight - explained)
    against: list[str] = [*standing.spared]
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
        usual = "that was not there before" if line.before == 0 else f"of which {line.expected or 0:.3g} were to come"
        yield f"{line.service} wrote {line.after} lines of a form {usual}: {line.template[:160]}"
