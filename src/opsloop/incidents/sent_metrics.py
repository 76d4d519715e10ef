"""Metrics that services send over OTLP, as numbers that can be compared over time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from opsloop.monitoring.telemetry.history import PointLine, SeriesLine

LONGEST_NAME = 200


def name_of(line: SeriesLine) -> str:
    """The metric's name for people, with unit and attributes."""
    unit = f" in {line.unit}" if line.unit and line.unit != "1" else ""
    attributes = "" if line.attributes in ("", "{}") else f" {line.attributes}"
    return f"{line.name}{unit}{attributes}"[:LONGEST_NAME]


def is_counter(kind: str) -> bool:
    """Whether its points are sums since a start, so that a value needs the point before."""
    return "cumulative" in kind


def values(kind: str, found: Sequence[PointLine]) -> Iterator[tuple[int, float]]:
    """Instants in microseconds and values: a counter's gain a second, a histogram's mean, without what is no number.

    Args:
        found: oldest first; of a counter the first one gives no value.
    """
    read = _rates(found) if is_counter(kind) else ((each.at_us, _mean(each)) for each in found)
    return ((at_us, value) for at_us, value in read if math.isfinite(value))


def _mean(point: PointLine) -> float:
    return point.value if point.count is None else point.value / point.count if point.count else math.nan


def _rates(found: Iterable[PointLine]) -> Iterator[tuple[int, float]]:
    """What a counter, or the sum of a histogram, gained a second or an observation; a restart from 0 is left out."""
    for before, now in pairwise(found):
        gained = now.value - before.value
        if before.count is None or now.count is None:
            by = (now.at_us - before.at_us) / 1e6
        else:
            by = float(now.count - before.count)
        if by > 0 and gained >= 0:
            yield now.at_us, gained / by
