"""A trace as rows from top to bottom: each span below its parent, its bar at its place in the time of the trace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opsloop.monitoring.telemetry.models import Span

DEEPEST = 40
"""Deeper spans are drawn at this depth."""


@dataclass(frozen=True, slots=True)
class Row:
    """`left` and `width` are shares of the trace's time, 0 to 1."""

    span: Span
    depth: int
    left: float
    width: float


def rows(spans: Sequence[Span], duration_ms: float) -> list[Row]:
    """Every span once: below its parent where that is among them, else at the top, also when parents form a ring."""
    known = {each.span_id for each in spans}
    below: dict[str, list[Span]] = {}
    tops = []
    for each in spans:
        if each.parent_id in known and each.parent_id is not None and each.parent_id != each.span_id:
            below.setdefault(each.parent_id, []).append(each)
        else:
            tops.append(each)
    seen: set[str] = set()
    found: list[Row] = []
    for start in (tops, spans):  # whoever is not below a top is in a ring
        for span, depth in _walk(start, below, seen):
            whole = duration_ms or 1.0
            left = min(1.0, max(0.0, span.start_ms / whole))
            found.append(Row(span, min(depth, DEEPEST), left, min(1.0 - left, span.duration_ms / whole)))
    return found


def _walk(start: Sequence[Span], below: dict[str, list[Span]], seen: set[str]) -> Iterable[tuple[Span, int]]:
    waiting = [(each, 0) for each in reversed(start)]
    while waiting:
        span, depth = waiting.pop()
        if span.span_id in seen:
            continue
        seen.add(span.span_id)
        yield span, depth
        waiting += [(each, depth + 1) for each in reversed(below.get(span.span_id, []))]
