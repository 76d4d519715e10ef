"""Is a changed column the old one in another unit? Known factors are undone, and the result is held against it."""

from __future__ import annotations

import math
from dataclasses import dataclass

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
_CLEARLY_OTHER = 0.5
"""Misfit above which a column is worth an explanation by its unit."""


@dataclass(frozen=True, slots=True)
class Factor:
    """What was done to the values: multiplied, then shifted."""

    factor: float
    offset: float
    words: str


def factor_of(column: Column, values: Floats) -> Factor | None:
    """The change of unit that explains the values, or None. A guess by few rows is one among a dozen candidates."""
    if len(values) < _LEAST_ROWS or column.sd == 0.0 or _misfit(column, values) < _CLEARLY_OTHER:
        return None
    best = min(_CANDIDATES, key=lambda each: _implausibility(column, values, each))
    undone = _undone(values, best)
    outside = float((column.counts[column.bins(undone)] < 0.5).mean())
    allowed = (2.0 / math.sqrt(len(values)) + 0.1) ** 2
    return best if _misfit(column, undone) <= 2.0 * allowed and outside <= 0.05 else None


def _undone(values: Floats, factor: Factor) -> Floats:
    undone: Floats = (values - factor.offset) / factor.factor
    return undone


def _implausibility(column: Column, values: Floats, factor: Factor) -> float:
    """Half the squared standard errors by which it misses, and a penalty for what is no power of ten."""
    missed = _misfit(column, _undone(values, factor)) * len(values) / 2.0
    return missed + (0.0 if factor.factor in _POWERS else _PENALTY)


def _misfit(column: Column, values: Floats) -> float:
    """Squared distance from the reference in level and log spread of the normal scores."""
    scores = column.scores[column.bins(values)]
    spread = max(math.sqrt(float((scores**2).mean())), 1e-3)
    return float(scores.mean()) ** 2 + math.log(spread) ** 2


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
