"""Agreement of two raters beyond chance: Cohen's kappa, for ordered categories with weights.

kappa = (po - pe) / (1 - pe), with po the (weighted) share of agreement and pe what the raters' own frequencies would
give by chance. The standard error is that of large samples. When the raters agree on every row it would be 0: then the
lower end is what the rule of three leaves for po.

Sources: J. Cohen, A coefficient of agreement for nominal scales, Educational and Psychological Measurement 20 (1960),
37-46; J. Cohen, Weighted kappa, Psychological Bulletin 70 (1968), 213-220; J. L. Fleiss, J. Cohen, B. S. Everitt, Large
sample standard errors of kappa and weighted kappa, Psychological Bulletin 72 (1969), 323-327, formula 13.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from opsloop.evaluation.statistics.distributions import normal_quantile
from opsloop.evaluation.statistics.rows import Floats


class Weights(StrEnum):
    """How far a near miss is an agreement: not at all, by steps, or by their square."""

    NONE = "none"
    LINEAR = "linear"
    QUADRATIC = "quadratic"


@dataclass(frozen=True, slots=True)
class Kappa:
    """`value` is None when chance alone explains every agreement: both raters gave one category only."""

    value: float | None
    low: float | None
    high: float | None
    error: float | None
    observed: float
    expected: float
    rows: int
    weights: Weights


def kappa_of(
    first: Sequence[float], second: Sequence[float], *, weights: Weights = Weights.NONE, confidence: float = 0.95
) -> Kappa:
    """Of the categories that two raters gave the same rows; weights go by the distance of the categories.

    Raises: ValueError without rows, or with lengths that differ.
    """
    categories = sorted({*first, *second})
    place = {category: at for at, category in enumerate(categories)}
    table = np.zeros((len(categories), len(categories)))
    for one, other in zip(first, second, strict=True):
        table[place[one], place[other]] += 1
    return of_table(table, agreement_weights(categories, weights), weights, confidence=confidence)


def agreement_weights(categories: Sequence[float], weights: Weights) -> Floats:
    """1 for the same category, less for others."""
    if weights is Weights.NONE or len(categories) < 2:
        return np.eye(len(categories))
    values = np.asarray(categories, dtype=np.float64)
    distance = np.abs(values[:, None] - values[None, :]) / (values[-1] - values[0])
    agreed: Floats = 1.0 - (distance if weights is Weights.LINEAR else distance**2)
    return agreed


def of_table(
    table: NDArray[np.float64], agreed: Floats, weights: Weights = Weights.NONE, *, confidence: float = 0.95
) -> Kappa:
    """Args:
    table: how many rows got category i from the first and j from the second rater, shape (c, c).
    agreed: the weight of agreement of each pair, shape (c, c), 1 on the diagonal.
    """
    rows = float(table.sum())
    if rows < 1:
        raise ValueError("kappa of no rows")
    shares = table / rows
    firsts, seconds = shares.sum(axis=1), shares.sum(axis=0)
    observed, expected = float((agreed * shares).sum()), float(firsts @ agreed @ seconds)
    if expected >= 1.0:
        return Kappa(None, None, None, None, observed, expected, int(rows), weights)
    value = (observed - expected) / (1.0 - expected)
    mean = (agreed @ seconds)[:, None] + (firsts @ agreed)[None, :]
    spread = float((shares * (agreed * (1.0 - expected) - mean * (1.0 - observed)) ** 2).sum())
    variance = (spread - (observed * expected - 2.0 * expected + observed) ** 2) / (rows * (1.0 - expected) ** 4)
    error = math.sqrt(max(0.0, variance))
    reach = normal_quantile(0.5 + confidence / 2.0) * error
    low = value - reach
    if observed >= 1.0:
        unseen = 1.0 - ((1.0 - confidence) / 2.0) ** (1.0 / rows)
        low = (1.0 - unseen - expected) / (1.0 - expected)
    return Kappa(value, max(-1.0, low), min(1.0, value + reach), error, observed, expected, int(rows), weights)
