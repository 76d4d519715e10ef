"""What is bet on: that a column moved, spread, lost values or met new ones, that a category became more frequent or
that rare ones did; each bet as a table over its bins.

A bet is a likelihood ratio l(bin) >= 0 of a changed against the reference distribution. It becomes an e-value, a factor
with mean at most 1 as long as nothing changed, by division by the largest mean it can have: over every distribution
within the chi-square radius r of the reference's bins that mean is

    mean(l) + r sd(l),      r = tolerance + (z + sqrt(p)) / sqrt(rows of the reference),

with mean and sd over the reference's rows and three more rows at the bet's best outcome (the rule of three for bins in
which the reference has no row). The second term covers what the reference, being a sample, does not know: z >= 3
standard errors, so many that of 100 references 99 keep the promise for all their columns; and sqrt(p) more for a bet
whose p figures are themselves taken from the reference, since what chance put there it is bound to miss later.

Sources: P. Grünwald, R. de Heide, W. Koolen, Safe testing, JRSS B 86 (2024), 1091-1128; J. C. Duchi, H. Namkoong,
Learning models with uniform performance via distributionally robust optimization, Ann. Statist. 49 (2021), 1378-1406
(the mean over a chi-square ball); E. L. Lehmann, J. P. Romano, Testing Statistical Hypotheses, ch. 6 (normal scores).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np

from opsloop.monitoring.drift.columns import Column, Floats


class Change(StrEnum):
    """What a bet says has changed."""

    UP = "up"
    DOWN = "down"
    WIDER = "wider"
    NARROWER = "narrower"
    UNSEEN = "unseen"
    MISSING = "missing"
    FILLED = "filled"
    MORE = "more"
    LESS = "less"
    RARER = "rarer"
    COMMONER = "commoner"
    UNLINKED = "unlinked"
    LINKED = "linked"
    REVERSED = "reversed"
    JOINT = "joint"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Bet:
    """One bet: on what, how strong, and its share of the money within its column or pair."""

    change: Change
    strength: float
    weight: float
    place: int = -1
    """The bin of the category that it is on."""
    figures: int = 0
    """How many of its own it takes from the reference: p above."""


BETS_PER_COLUMN = 20
IDLE = 1.0 / 256.0
"""What a bet that has nothing to bet on loses each row: else its sum over starts would grow by 1 a row for nothing."""
_BROKEN_REFERENCES = 0.01
_WAYS = 3
"""In which a column's bets can break the promise: low, high, and by rare values."""
_BEST_ROWS = 3.0
_SHIFTS = ((0.15, 3.0), (0.3, 4.0), (0.6, 4.0), (1.2, 3.0), (2.4, 2.0))
_SPREADS = ((0.4, 1.0), (0.7, 3.0), (1.4, 4.0), (2.0, 3.0), (3.5, 2.0))
_UNSEEN = ((0.1, 1.0), (0.8, 1.5))
_MISSING = ((0.1, 1.0), (0.8, 1.0))
_CATEGORIES = 4
_TILTS = ((0.3, 3.0), (0.6, 3.0), (-0.4, 2.0))
_UNUSED = Bet(Change.UNUSED, 0.0, 0.0)
_CAP = 12.0


def bets_of(column: Column) -> tuple[tuple[Bet, ...], Floats]:
    """The bets on a column, always as many, and their likelihood ratios (bets, bins), not yet e-values."""
    found = _common(column)
    found += _on_categories(column) if column.is_category else _on_numbers(column)
    found += [(_UNUSED, np.ones(len(column.counts)))] * (BETS_PER_COLUMN - len(found))
    return tuple(bet for bet, _ in found), np.array([ratio for _, ratio in found])


def e_values(ratios: Floats, counts: Floats, radius: float | Floats) -> Floats:
    """Likelihood ratios (bets, bins) scaled so that their mean is at most 1 within `radius` of the counts.

    Args:
        radius: of all of them, or of each bet.
    """
    rows = counts.sum() + _BEST_ROWS
    best = ratios.max(axis=1)
    mean = (ratios @ counts + _BEST_ROWS * best) / rows
    square = (ratios**2 @ counts + _BEST_ROWS * best**2) / rows
    bound = np.maximum(mean + radius * np.sqrt(np.maximum(square - mean**2, 0.0)), mean * (1.0 + IDLE))
    scaled: Floats = np.clip(ratios / bound[:, None], math.exp(-_CAP), math.exp(_CAP))
    return scaled


def radii_of(bets: Sequence[Bet], rows: int, columns: int, tolerance: float) -> Floats:
    """The radius of each bet."""
    return np.array([radius_of(rows, columns, tolerance, bet.figures) for bet in bets])


def radius_of(rows: int, columns: int, tolerance: float, figures: int = 0) -> float:
    """The chi-square radius around the reference in which nothing counts as changed.

    Args:
        figures: of the bet, that are taken from the reference.
    """
    sigmas = NormalDist().inv_cdf(1.0 - _BROKEN_REFERENCES / (_WAYS * columns))
    return tolerance + (sigmas + math.sqrt(figures)) / math.sqrt(rows)


def _common(column: Column) -> list[tuple[Bet, Floats]]:
    """What any column can suffer: values that the reference never had, and missing ones."""
    counts, rows = column.counts, column.counts.sum()
    empty = counts < 0.5
    empty[-1] = False
    missing = np.zeros(len(counts), dtype=bool)
    missing[-1] = True
    found = [(Bet(Change.UNSEEN, share, weight), _mixed(empty, counts, share)) for share, weight in _UNSEEN]
    found += [(Bet(Change.MISSING, share, weight), _mixed(missing, counts, share)) for share, weight in _MISSING]
    filled = np.where(missing, 0.2, (rows - 0.2 * counts[-1]) / max(rows - counts[-1], 1.0))
    return [*found, (Bet(Change.FILLED, 0.2, 0.5), filled)]


def _mixed(inside: np.ndarray[tuple[int], np.dtype[np.bool_]], counts: Floats, share: float) -> Floats:
    """The ratio for "a further `share` of all rows falls into these bins"."""
    rows = counts.sum()
    mass = max(float(counts[inside].sum()), 3.0) / rows
    return (1.0 - share) + np.where(inside, share / mass, 0.0)


def _on_numbers(column: Column) -> list[tuple[Bet, Floats]]:
    scores = column.scores
    present = np.arange(len(scores)) != column.missing_bin
    found = []
    for change, sign in ((Change.UP, 1.0), (Change.DOWN, -1.0)):
        for shift, weight in _SHIFTS:
            log = np.where(present, sign * shift * scores - shift**2 / 2, 0.0)
            found.append((Bet(change, shift, weight), np.exp(np.minimum(log, _CAP))))
    for spread, weight in _SPREADS:
        log = np.where(present, scores**2 / 2 * (1.0 - spread**-2) - math.log(spread), 0.0)
        change = Change.WIDER if spread > 1.0 else Change.NARROWER
        found.append((Bet(change, spread, weight), np.exp(np.minimum(log, _CAP))))
    return found


def _on_categories(column: Column) -> list[tuple[Bet, Floats]]:
    """More or less of each of the most frequent categories, and more of the rare ones or of the frequent ones."""
    counts, rows = column.counts, column.counts.sum()
    found = []
    for place in np.argsort(-counts[: len(column.labels)], kind="stable")[:_CATEGORIES]:
        inside = np.arange(len(counts)) == place
        for share in (0.1, 0.4):
            found.append((Bet(Change.MORE, share, 2.0, int(place)), _mixed(inside, counts, share)))
        rest = (rows - 0.5 * counts[place]) / max(rows - counts[place], 1.0)
        found.append((Bet(Change.LESS, 0.5, 2.0, int(place)), np.where(inside, 0.5, rest)))
    for tilt, weight in _TILTS:
        change = Change.RARER if tilt > 0.0 else Change.COMMONER
        found.append((Bet(change, abs(tilt), weight, figures=len(column.labels)), _tilted(column, tilt)))
    return found


def _tilted(column: Column, tilt: float) -> Floats:
    """The ratio for "the rarer a label was, the more there is of it", in proportion to shares to the power -tilt."""
    counts, known = column.counts, len(column.labels)
    ratio = np.ones(len(counts))
    own = np.maximum(counts[:known], _BEST_ROWS) ** -tilt
    ratio[:known] = own * (counts[:known].sum() / max(float(counts[:known] @ own), 1e-9))
    return ratio
