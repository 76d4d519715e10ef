"""Is a changed column the old one in another unit? Known factors are undone, and the result is held against it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from opsloop.monitoring.drift.columns import Column, Floats

_FACTORS = (
    10.0,
    100.0,
    1000.0,
    1e6,
    1024.0,
    2.54,
    12.0,
    24.0,
    60.0,
    3600.0,
    1.609344,
    2.2046226,
    3.2808399,
    0.45359237,
)
_POWERS = frozenset(power for factor in (10.0, 100.0, 1000.0, 1e6) for power in (factor, 1.0 / factor))
_PENALTY = 3.0
_LEAST_ROWS = 3
_CLEARLY_OTHER = 0.75
"""Distance from the reference, in sd, above which a column is worth an explanation by its unit."""


@dataclass(frozen=True, slots=True)
class Factor:
    """What was done to the values: multiplied, then shifted."""

    factor: float
    offset: float
    words: str


def factor_of(column: Column, values: Floats) -> Factor | None:
    """The change of unit that explains the values, or None. A guess by few rows is one among a dozen candidates."""
    if len(values) < _LEAST_ROWS or column.sd == 0.0 or abs(_distance(column, values)) < _CLEARLY_OTHER:
        return None
    best = min(_CANDIDATES, key=lambda each: _implausibility(column, values, each))
    undone = (values - best.offset) / best.factor
    distance = abs(_distance(column, undone))
    outside = float((column.counts[column.bins(undone)] < 0.5).mean())
    fits = distance <= 2.0 / math.sqrt(len(values)) + 0.1 and outside <= 0.05
    return best if fits and _spread_fits(column, undone) else None


def _implausibility(column: Column, values: Floats, factor: Factor) -> float:
    """Half the squared standard error by which it misses, and a penalty for what is no power of ten."""
    missed = _distance(column, (values - factor.offset) / factor.factor) ** 2 * len(values) / 2.0
    return missed + (0.0 if factor.factor in _POWERS else _PENALTY)


def _distance(column: Column, values: Floats) -> float:
    return float(column.scores[column.bins(values)].mean())


def _spread_fits(column: Column, values: Floats) -> bool:
    """Whether the spread is that of the reference within a factor that few rows allow."""
    spread = float(np.sqrt((column.scores[column.bins(values)] ** 2).mean()))
    slack = 1.0 + 3.0 / math.sqrt(2.0 * len(values))
    return 1.0 / (1.3 * slack) <= spread <= 1.3 * slack


def _candidates() -> tuple[Factor, ...]:
    found = [Factor(-1.0, 0.0, "negated (another sign?)")]
    for factor in _FACTORS:
        found.append(Factor(factor, 0.0, f"{factor:g} times as large (another unit?)"))
        found.append(Factor(1.0 / factor, 0.0, f"{factor:g} times smaller (another unit?)"))
    found.append(Factor(1.8, 32.0, "like °F instead of °C"))
    found.append(Factor(1.0 / 1.8, -32.0 / 1.8, "like °C instead of °F"))
    found.append(Factor(1.0, 273.15, "like K instead of °C"))
    return tuple(found)


_CANDIDATES = _candidates()
