"""Calls between parts, read off the spans of traces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from opsloop.incidents.topology.places import called, places
from opsloop.monitoring.telemetry.spans import StoredSpan


@dataclass(frozen=True, slots=True)
class Step:
    """One call in one trace. Args: seq: of the later of its two spans; at_us: when it began."""

    caller: str
    callee: str
    failed: bool
    seq: int
    at_us: int


def steps(spans: Iterable[StoredSpan]) -> Iterator[Step]:
    """Calls from one part to another: a span below one of another part, and an outward span that nothing answers.

    A call whose callee sends spans too is told once those have come; until then by what the caller's span says.
    """
    all_spans = list(spans)
    place = places(all_spans)
    by_id = {(each.trace_id, each.span_id): each for each in all_spans}
    answered: set[tuple[str, str]] = set()
    for span in all_spans:
        parent = by_id.get((span.trace_id, span.parent_id)) if span.parent_id else None
        if parent is None:
            continue
        caller, callee = place[parent.trace_id, parent.span_id], place[span.trace_id, span.span_id]
        if caller != callee:
            answered.add((parent.trace_id, parent.span_id))
            yield Step(caller, callee, span.status == "error", max(parent.seq, span.seq), span.started_us)
    for span in all_spans:
        key = (span.trace_id, span.span_id)
        outside = called(span) if key not in answered else None
        if outside is not None and outside != place[key]:
            yield Step(place[key], outside, span.status == "error", span.seq, span.started_us)
