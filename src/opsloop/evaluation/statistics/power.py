"""How many rows would decide: the planning side of the tests."""

from __future__ import annotations

import math

from opsloop.evaluation.statistics.distributions import normal_quantile

POWER = 0.8
"""The chance with which the given number of rows decides. The usual planning value (J. Cohen, Statistical Power
Analysis for the Behavioral Sciences, 2nd ed. 1988, section 2.4)."""

MOST_ROWS = 10_000_000
"""Beyond this the answer is "no number of rows": nobody labels as many."""


def rows_for_gap(gap: float, row_deviation: float, alpha: float, *, power: float = POWER) -> int | None:
    """Rows that show with a one-sided test that a mean lies `gap` beyond a boundary.

    n = ((z[1 - alpha] + z[power]) deviation / gap)^2, the normal approximation, for the mean and the spread as given.

    Args:
        gap: distance of the mean from the boundary, in the metric's unit; its sign does not matter.
        row_deviation: the standard deviation of a row, in the metric's unit; with clusters the standard error times
            the square root of the rows, which assumes that new rows cluster as the old ones do.
    Returns: the rows, or None when the gap is too small for any affordable number.
    """
    if gap == 0.0:
        return None
    root = abs((normal_quantile(1.0 - alpha) + normal_quantile(power)) * row_deviation / gap)
    return math.ceil(root**2) if root <= math.sqrt(MOST_ROWS) else None


def rows_without_event(rate: float, alpha: float) -> int | None:
    """Rows without a single event that exclude an event rate of `rate`: the rule of three, exactly.

    Source: J. A. Hanley, A. Lippman-Hand, If nothing goes wrong, is everything all right?, JAMA 249 (1983), 1743-1745.
    """
    if rate <= 0.0:
        return None
    if rate >= 1.0:
        return 1
    rows = math.log(alpha) / math.log1p(-rate)
    return math.ceil(rows) if rows <= MOST_ROWS else None


def smallest_gap(rows: int, row_deviation: float, alpha: float, *, power: float = POWER) -> float:
    """The gap that so many rows show: `rows_for_gap` turned round, in the metric's unit."""
    return (normal_quantile(1.0 - alpha) + normal_quantile(power)) * row_deviation / math.sqrt(rows)
