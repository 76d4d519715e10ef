"""What its metrics, its log lines and its calls say of one service."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from opsloop.incidents.causes.callers import Calls, distances
from opsloop.incidents.causes.models import Evidence, LogTemplate, MetricSeries, SeriesKind
from opsloop.incidents.causes.scores import RATES, Departure, departure
from opsloop.incidents.causes.starving import Starving, starving
from opsloop.incidents.causes.ways import Way, blamed

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
MOST_LINES = 3
"""Forms of lines that count, the weightiest."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A service and what its metrics, logs and calls say. `weight` is on a logarithmic scale, 0 for a usual state."""

    service: str
    weight: float
    departures: tuple[Departure, ...]
    logs: tuple[LogTemplate, ...]
    spared: tuple[str, ...] = ()
    starving: Starving | None = None


def standings(evidence: Evidence, calls: Calls) -> Iterator[Standing]:
    """Of every service that metrics or logs are known of."""
    start_s, until_s = evidence.started_at.timestamp(), evidence.until.timestamp()
    departures = _departures(evidence.series, start_s, until_s)
    ill = {service for service, of in departures.items() if any(_is_ill(each) for each in of)}
    starved = {
        caller: each
        for caller, each in starving(evidence.series, calls, started_s=start_s, until_s=until_s).items()
        if not ill & (distances(calls, (caller,)).keys() - {caller})
    }
    logs: dict[str, list[LogTemplate]] = {}
    for line in evidence.logs:
        if _weight_of_lines(line) > 0:
            logs.setdefault(line.service, []).append(line)
    for service in sorted({*departures, *logs, *starved}):
        found = departures.get(service, [])
        own = _own_scores(found)
        weighed = [(_weighed(each, evidence.symptom, own), each) for each in found]
        weighed.sort(key=lambda each: (-each[0], each[1].series.metric))
        lines = sorted(logs.get(service, ()), key=lambda each: (-_weight_of_lines(each), each.template))
        yield Standing(
            service,
            max(_strongest(weighed), _weight_of_starving(starved.get(service), evidence.symptom))
            + sum(_weight_of_lines(each) for each in lines[:MOST_LINES]),
            tuple(each for _, each in weighed),
            tuple(lines),
            tuple(_spared(weighed, own)),
            starved.get(service),
        )


def _departures(found: Iterable[MetricSeries], start_s: float, until_s: float) -> dict[str, list[Departure]]:
    """By service; that of a slow way stands at the end that explains it, and of a way that is as it was nowhere."""
    series = list(found)
    asked = {each.service: _asked(each, start_s, until_s) for each in series if each.kind is SeriesKind.TRAFFIC}
    by_service: dict[str, list[Departure]] = {}
    by_way: dict[Way, Departure] = {}
    for each in series:
        left = departure(each, start_s, until_s, requests=asked.get(each.service))
        if left is None:
            continue
        if each.way_from is None:
            by_service.setdefault(each.service, []).append(left)
        else:
            by_way[each.way_from, each.service] = left
    slow = {way: each.score for way, each in by_way.items() if each.score >= LEAST_SCORE}
    for way, end in blamed(slow, by_way.keys() - slow.keys()).items():
        by_service.setdefault(end, []).append(by_way[way])
    return by_service


def _is_ill(found: Departure) -> bool:
    """It answers slower or fails more than it did."""
    return found.score >= LEAST_SCORE and found.series.kind in (SeriesKind.LATENCY, *RATES)


def _strongest(weighed: Iterable[tuple[float, Departure]]) -> float:
    return max((weight for weight, each in weighed if each.score >= LEAST_SCORE), default=0.0)


def _weight_of_starving(found: Starving | None, symptom: SeriesKind | None) -> float:
    """As much as errors of that score: it does not do what it is asked for."""
    if found is None:
        return 0.0
    is_of_symptom = symptom is None or symptom in RATES
    return WEIGHTS[SeriesKind.ERRORS] * math.log1p(found.score) * (1.0 if is_of_symptom else OTHER_SYMPTOM)


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
    is_of_callees = not found.series.is_own and found.series.way_from is None
    return is_of_callees and own.get(kind, LEAST_SCORE) < LEAST_SCORE


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
