"""The exact test of a difference of two proportions on the same rows, whatever the rate at which rows change.

The score test's normal approximation is too easy on a claim of loss where few rows change (its 5 % are 9 % when 4 rows
of 150 do). So its statistic only says which outcomes are as extreme as the one seen, and their chance is added up under
every rate of changing rows that the outcome does not exclude; the largest is the p-value.

Sources: K. Sidik, Exact unconditional tests for testing non-inferiority in matched-pairs design, Statistics in Medicine
22 (2003), 265-278; R. L. Berger, D. D. Boos, P values maximized over a confidence set for the nuisance parameter,
JASA 89 (1994), 1012-1016.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from opsloop.evaluation.statistics.distributions import beta_quantile
from opsloop.evaluation.statistics.rows import Floats

MOST_ROWS = 20_000
"""Beyond this the normal approximation is as good and the sum too long."""

_EXCLUDED = 1e-5
"""Chance with which the rate of changing rows lies outside those looked at; it is added to the p-value."""

_RATES = 24
_REACH = 7.0
_TIES = 1e-9


@lru_cache(maxsize=8_192)
def exact_p(higher: int, lower: int, rows: int, difference: float) -> float:
    """The p-value that the truth is at most `difference`; small shows that it is above.

    Args:
        higher: rows on which only the candidate is 1; lower: rows on which only the baseline is; of `rows` rows.
    """
    if not -1.0 < difference < 1.0:
        return float(difference >= 1.0)
    rates = _rates(higher + lower, rows, abs(difference))
    ups, downs = _reachable(rates + difference, rows), _reachable(rates - difference, rows)
    up, down = np.meshgrid(ups, downs, indexing="ij")
    seen = float(paired_score(np.float64(higher), np.float64(lower), rows, difference))
    is_extreme = (up + down <= rows) & (paired_score(up, down, rows, difference) >= seen - _TIES)
    up, down = up[is_extreme], down[is_extreme]
    logs = _log_factorials(rows)
    ways = logs[rows] - logs[up.astype(int)] - logs[down.astype(int)] - logs[(rows - up - down).astype(int)]
    chances = [_chance(ways, up, down, rows, (rate + difference) / 2.0, (rate - difference) / 2.0) for rate in rates]
    return min(1.0, max(chances) + _EXCLUDED)


def paired_score(higher: Floats | np.float64, lower: Floats | np.float64, rows: int, difference: float) -> Floats:
    """Observed minus supposed difference in standard errors, the nuisance rate at its likeliest value.

    Source: T. Tango, Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design, Statistics in Medicine 17 (1998), 891-908.
    """
    linear = (2 * rows - higher + lower) * difference - higher - lower
    constant = -lower * difference * (1.0 - difference)
    root = np.sqrt(np.maximum(linear * linear - 8 * rows * constant, 0.0))
    only_baseline = (root - linear) / (4 * rows)
    variance = rows * (2.0 * only_baseline + difference * (1.0 - difference))
    excess = higher - lower - rows * difference
    certain = np.where(excess > 0.0, np.inf, np.where(excess < 0.0, -np.inf, 0.0))
    score: Floats = np.where(variance > 1e-12, excess / np.sqrt(np.maximum(variance, 1e-12)), certain)
    return score


def _rates(changed: int, rows: int, least: float) -> Floats:
    """Rates of changing rows that the outcome leaves possible, closer together where they are small."""
    low = beta_quantile(_EXCLUDED / 2.0, changed, rows - changed + 1) if changed else 0.0
    high = beta_quantile(1.0 - _EXCLUDED / 2.0, changed + 1, rows - changed) if changed < rows else 1.0
    low, high = max(low, least), max(high, least)
    rates: Floats = low + (high - low) * np.linspace(0.0, 1.0, _RATES) ** 2
    return rates


def _reachable(twice: Floats, rows: int) -> Floats:
    """The counts that have a chance worth adding under any of the rates, given twice the share of such rows."""
    low, high = rows * float(twice.min()) / 2.0, rows * float(twice.max()) / 2.0
    first = max(0, int(low - _REACH * np.sqrt(low + 1.0) - _REACH))
    last = min(rows, int(high + _REACH * np.sqrt(high + 1.0) + _REACH))
    counts: Floats = np.arange(first, last + 1, dtype=np.float64)
    return counts


@lru_cache(maxsize=64)
def _log_factorials(rows: int) -> Floats:
    logs: Floats = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, rows + 1.0)))])
    return logs


def _chance(ways: Floats, up: Floats, down: Floats, rows: int, p_up: float, p_down: float) -> float:
    """The chance of outcomes: so many rows up and down, the others alike."""
    same = 1.0 - p_up - p_down
    logs = ways + _times_log(up, p_up) + _times_log(down, p_down) + _times_log(rows - up - down, same)
    return float(np.exp(logs).sum())


def _times_log(counts: Floats, chance: float) -> Floats:
    if chance > 1e-300:
        likely: Floats = counts * math.log(chance)
        return likely
    impossible: Floats = np.where(counts > 0.0, -np.inf, 0.0)
    return impossible
