"""What of a trace's time and errors is a part's own, what comes from the parts that it calls, and what from the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from opsloop.incidents.topology.places import called, places
from opsloop.monitoring.telemetry.spans import StoredSpan

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Way:
    """One call that both ends have sent a span of. Args: took_ms: what the caller waited less what the callee took."""

    caller: str
    callee: str
    at_us: int
    took_ms: float


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay of a trace in a part, from the span with which it came in.

    Args:
        place: as the topology names parts.
        operation: name of that span.
        own_ms: its time less that of calls to other parts, which may overlap.
        failed: that span failed; failed_itself: a span of the part failed, and no call to another part did.
    """

    place: str
    operation: str
    at_us: int
    duration_ms: float
    own_ms: float
    failed: bool
    failed_itself: bool


def visits(spans: Iterable[StoredSpan]) -> Iterator[Visit]:
    """The stays in each part; a part that sends no spans itself has those that its callers' outward spans show."""
    by_id = {(each.trace_id, each.span_id): each for each in spans}
    place = places(by_id.values())
    entry = _entries(by_id, place)
    away: dict[Key, list[tuple[int, int]]] = {}
    failures_within: set[Key] = set()
    failures_away: set[Key] = set()
    answered = {
        (each.trace_id, each.parent_id)
        for key, each in by_id.items()
        if each.parent_id and entry[key] == key and (each.trace_id, each.parent_id) in by_id
    }
    outside: dict[Key, str] = {}
    for key, span in by_id.items():
        callee = called(span) if key not in answered else None
        if callee is not None and callee != place[key]:
            outside[key] = callee
    for key, span in by_id.items():
        came_from = (span.trace_id, span.parent_id) if span.parent_id else None
        is_call = key in outside
        waits = [(entry[key], span)] if is_call else []
        if came_from and came_from in by_id and entry[key] == key:
            asked = by_id[came_from]
            waits.append((entry[came_from], asked if _is_call(asked) else span))
        for at, waited in waits:
            away.setdefault(at, []).append((waited.started_us, waited.started_us + waited.duration_us))
            if span.status == "error":
                failures_away.add(at)
        if span.status == "error" and not is_call:
            failures_within.add(entry[key])
    for key, span in by_id.items():
        if key in outside:
            took_ms = span.duration_us / 1000
            failed = span.status == "error"
            yield Visit(outside[key], span.name, span.started_us, took_ms, took_ms, failed, failed)
        if entry[key] == key:
            yield Visit(
                place[key],
                span.name,
                span.started_us,
                span.duration_us / 1000,
                max(0, span.duration_us - _covered(span, away.get(key, []))) / 1000,
                span.status == "error",
                key in failures_within and key not in failures_away,
            )


def ways(spans: Iterable[StoredSpan]) -> Iterator[Way]:
    """How long calls were on the way there and back: in the network, in queues, in connections to be made.

    Only an outward span of a call says how long its caller waited: any other span is of work beside the call, too, and
    a message lies in its queue as long as it may.
    """
    by_id = {(each.trace_id, each.span_id): each for each in spans}
    place = places(by_id.values())
    answers: dict[Key, list[StoredSpan]] = {}
    for key, span in by_id.items():
        asked = (span.trace_id, span.parent_id) if span.parent_id else None
        if asked is not None and _is_call(by_id.get(asked)) and place[asked] != place[key]:
            answers.setdefault(asked, []).append(span)
    for asked, found in answers.items():
        call, callee = by_id[asked], place[found[0].trace_id, found[0].span_id]
        # Durations alone: the clocks of two machines differ by more than a call takes.
        left_us = call.duration_us - sum(each.duration_us for each in found)
        yield Way(place[asked], callee, call.started_us, max(left_us, 0) / 1000)


def _is_call(span: StoredSpan | None) -> bool:
    return span is not None and span.kind == "client"


def _entries(by_id: dict[Key, StoredSpan], place: dict[Key, str]) -> dict[Key, Key]:
    """For each span the one with which its trace came into its part."""
    found: dict[Key, Key] = {}
    for key in by_id:
        way: list[Key] = []
        at = key
        while at not in found and at not in way:
            way.append(at)
            span = by_id[at]
            parent = (span.trace_id, span.parent_id) if span.parent_id else None
            if parent is None or parent not in by_id or place[parent] != place[at]:
                break
            at = parent
        first = found.get(at, at)
        for each in way:
            found[each] = first
    return found


def _covered(span: StoredSpan, parts: list[tuple[int, int]]) -> int:
    """Microseconds of a span in which at least one of some calls was under way."""
    end = span.started_us + span.duration_us
    at, covered = span.started_us, 0
    for begun, ended in sorted(parts):
        begun, ended = max(begun, at), min(ended, end)
        if ended > begun:
            covered += ended - begun
            at = ended
    return covered
