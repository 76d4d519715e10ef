"""How the values of one figure lie: quantiles, totals, a histogram."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BINS = 20


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Of `rows` values; each quantile is the value that its share of the rows does not exceed (nearest rank)."""

    rows: int
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    most: float
    total: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values fall into each of equally wide bins from `low` to `high`; the last one holds `high` too."""

    low: float
    high: float
    counts: tuple[int, ...]


def quantiles(values: Iterable[float]) -> Quantiles | None:
    """None when there is no value."""
    ordered = sorted(values)
    if not ordered:
        return None
    p50, p90, p95, p99 = (ordered[max(0, math.ceil(share * len(ordered)) - 1)] for share in (0.5, 0.9, 0.95, 0.99))
    total = math.fsum(ordered)
    return Quantiles(len(ordered), total / len(ordered), p50, p90, p95, p99, ordered[-1], total)


def histogram(values: Sequence[float], low: float, high: float, *, bins: int = BINS) -> Histogram:
    """Values outside of the ends count in the bin next to them."""
    counts = [0] * bins
    width = (high - low) / bins
    for value in values:
        place = int((value - low) / width) if width > 0 else 0
        counts[min(max(place, 0), bins - 1)] += 1
    return Histogram(low, high, tuple(counts))


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a histogram, in percent of its box."""

    x: float
    width: float
    height: float
    label: str


def bars(found: Histogram) -> list[Bar]:
    """A histogram as bars, the highest as high as the box."""
    most = max(found.counts, default=0)
    width = 100 / len(found.counts)
    step = (found.high - found.low) / len(found.counts)
    return [
        Bar(
            round(number * width, 2),
            round(width, 2),
            round(100 * count / most, 1) if most else 0.0,
            f"{found.low + number * step:.3g} to {found.low + (number + 1) * step:.3g}: {count:,} rows",
        )
        for number, count in enumerate(found.counts)
        if count
    ]
