"""Krippendorff's alpha: agreement of any number of raters, some of whom left rows out, on any kind of scale.

alpha = 1 - Do / De, the disagreement that is there over what chance would give. A row that only one rater rated says
nothing and is left out. The interval is that of a bootstrap over rows (BCa), with both parts computed anew for each
resample; it is not the one of Krippendorff's own programs, which resamples pairs.

Sources: K. Krippendorff, Computing Krippendorff's alpha-reliability, University of Pennsylvania 2011 (its examples are
in the tests); K. Krippendorff, Content analysis, 2nd ed., Sage 2004, section 11.4.2: rely on alpha from .800 on, draw
tentative conclusions from .667 on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import numpy as np

from opsloop.evaluation.statistics.estimates import Interval
from opsloop.evaluation.statistics.figure import Figure
from opsloop.evaluation.statistics.resampled import RESAMPLES, resampled
from opsloop.evaluation.statistics.rows import Floats

Ratings = Sequence[Sequence[float | None]]
"""One sequence a row, one value a rater; None where a rater left the row out."""


class Level(StrEnum):
    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"


def alpha(ratings: Ratings, level: Level) -> float | None:
    """None when fewer than two ratings can be compared, or all are the same."""
    pairs, categories = _coincidences(ratings)
    if not len(pairs):
        return None
    value = float(_alphas(pairs.sum(axis=0)[None, :], categories, level)[0])
    return None if np.isnan(value) else value


def alpha_interval(
    ratings: Ratings, level: Level, *, seed: int = 0, confidence: float = 0.95, resamples: int = RESAMPLES
) -> Interval | None:
    """Alpha with its interval; None as in `alpha`, or when the rows are too few for one."""
    pairs, categories = _coincidences(ratings)
    if len(pairs) < 2:
        return None

    def figures(weights: Floats) -> Mapping[str, Figure]:
        return {"alpha": Figure(_alphas(weights @ pairs, categories, level), len(pairs))}

    estimate = resampled(figures, range(len(pairs)), seed=seed, resamples=resamples)["alpha"].estimate
    return None if estimate is None else estimate.interval(confidence)


def _coincidences(ratings: Ratings) -> tuple[Floats, Floats]:
    """What each row adds to the table of coincidences, shape (n, c * c), and the categories, shape (c,)."""
    rated = [[value for value in row if value is not None] for row in ratings]
    rated = [row for row in rated if len(row) > 1]
    categories = np.array(sorted({value for row in rated for value in row}), dtype=np.float64)
    counts = np.array([[row.count(category) for category in categories] for row in rated], dtype=np.float64)
    if not rated:
        return np.zeros((0, 0)), categories
    pairs = counts[:, :, None] * counts[:, None, :] - np.eye(len(categories))[None] * counts[:, :, None]
    pairs /= (counts.sum(axis=1) - 1.0)[:, None, None]
    return pairs.reshape(len(rated), -1), categories


def _alphas(tables: Floats, categories: Floats, level: Level) -> Floats:
    """Of tables of coincidences, shape (b, c * c); NaN where there is no disagreement to expect."""
    size = len(categories)
    shaped = tables.reshape(-1, size, size)
    totals = shaped.sum(axis=2)
    distances = _distances(totals, categories, level)
    there = (shaped * distances).sum(axis=(1, 2))
    by_chance = (totals[:, :, None] * totals[:, None, :] * distances).sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = 1.0 - (totals.sum(axis=1) - 1.0) * there / by_chance
    return found


def _distances(totals: Floats, categories: Floats, level: Level) -> Floats:
    """Squared differences of categories, shape (b, c, c); of ranks they depend on how often each category is used."""
    size = len(categories)
    if level is Level.NOMINAL:
        return np.broadcast_to(1.0 - np.eye(size), (len(totals), size, size))
    if level is Level.INTERVAL:
        between = (categories[:, None] - categories[None, :]) ** 2
        return np.broadcast_to(between, (len(totals), size, size))
    middles = np.cumsum(totals, axis=1) - totals / 2.0
    squared: Floats = (middles[:, :, None] - middles[:, None, :]) ** 2
    return squared
