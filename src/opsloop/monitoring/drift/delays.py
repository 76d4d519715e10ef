"""How late a change is found at the present settings, computed from the tables alone."""

from __future__ import annotations

import math

import numpy as np

from opsloop.monitoring.drift.columns import Column, Floats
from opsloop.monitoring.drift.reference import Reference

SHIFTS_SD = (0.25, 0.5, 1.0)


def expected_delays(reference: Reference) -> dict[float, float | None]:
    """Rows, or blocks, until a shift of one column by so many standard deviations raises the alarm."""
    return {shift: expected_delay(reference, shift) for shift in SHIFTS_SD}


def expected_delay(reference: Reference, shift_sd: float) -> float | None:
    """The same for any shift, the median over the columns of numbers, up or down; None when it is never found.

    The bet that grows fastest needs about log(threshold / weight) / growth rows, growth being the mean of its log
    factors under the shift, here an exponential tilt of the reference by its normal scores.
    """
    delays = [
        _delay(reference, place, sign * shift_sd)
        for place, column in enumerate(reference.columns)
        if not column.is_category and len(column.counts) > 2
        for sign in (1.0, -1.0)
    ]
    found = float(np.median(delays)) if delays else math.inf
    return found if math.isfinite(found) else None


def _delay(reference: Reference, place: int, shift_sd: float) -> float:
    tables, column = reference.tables, reference.columns[place]
    width = tables.factors.shape[1]
    base = tables.bases[place]
    logs = np.log(tables.factors[base : base + len(column.counts)])
    growth = _tilted(column, shift_sd) @ logs
    weights = tables.weights[place * width : (place + 1) * width]
    growing = (growth > 0) & (weights > 0)
    if not growing.any():
        return math.inf
    ratio = reference.threshold / reference.unit_mass
    needed = math.log(ratio) - np.log(weights[growing] / np.minimum(growth[growing], 1.0))
    return float((needed / growth[growing]).min())


def _tilted(column: Column, shift_sd: float) -> Floats:
    masses = column.counts * np.exp(shift_sd * column.scores)
    total: Floats = masses / masses.sum()
    return total
