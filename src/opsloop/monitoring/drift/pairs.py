"""Bets on how two columns go together, as tables over pairs of coarse groups.

Each column is cut into six groups of about equal size (the most frequent categories of a category), and a seventh for
missing values. A pair's bets are that the two have become independent (the product of the margins over the joint
counts), or that they go together more, or the other way round (exponential tilts by the product of normal scores).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from opsloop.monitoring.drift.bets import Bet, Change, e_values
from opsloop.monitoring.drift.columns import Column, Floats, Ints

GROUPS = 7
MAX_PAIRS = 24
BETS_PER_PAIR = 6
FIGURES = (GROUPS - 2) ** 2
"""Degrees of freedom of a pair's table, on which the bet that the two became independent rests."""
_TILTS = ((0.3, 1.0), (0.8, 1.0))
_CAP = 12.0


def groups_of(column: Column) -> Ints:
    """The coarse group of each bin."""
    counts = column.counts
    if column.is_category:
        groups = np.full(len(counts), GROUPS - 2)
        frequent = np.argsort(-counts[: len(column.labels)], kind="stable")[: GROUPS - 2]
        groups[frequent] = np.arange(len(frequent))
    else:
        upto = np.cumsum(counts[:-1])
        middle = (upto - counts[:-1] / 2) / max(upto[-1], 1.0)
        groups = np.append(np.minimum((middle * (GROUPS - 1)).astype(np.int64), GROUPS - 2), 0)
    groups[column.missing_bin] = GROUPS - 1
    return groups.astype(np.int64)


def group_scores(column: Column, groups: Ints) -> Floats:
    """Mean normal score of each group; 0 for a category and for missing values."""
    mass = np.bincount(groups, weights=column.counts, minlength=GROUPS)
    total = np.bincount(groups, weights=column.counts * column.scores, minlength=GROUPS)
    return np.divide(total, mass, out=np.zeros(GROUPS), where=mass > 0)


def joint_counts(first: Ints, second: Ints) -> Floats:
    """Reference rows per pair of groups, (GROUPS * GROUPS,)."""
    return np.bincount(first * GROUPS + second, minlength=GROUPS * GROUPS).astype(np.float64)


def information(joint: Floats) -> float:
    """How much one column says of the other, in nats, less what chance alone shows (G. A. Miller, 1955)."""
    table = joint.reshape(GROUPS, GROUPS) / joint.sum()
    product = table.sum(axis=1)[:, None] * table.sum(axis=0)
    inside = table > 0
    cells = (np.count_nonzero(table.sum(axis=1)) - 1) * (np.count_nonzero(table.sum(axis=0)) - 1)
    return float((table[inside] * np.log(table[inside] / product[inside])).sum() - cells / (2 * joint.sum()))


def chosen(groups: Sequence[Ints], columns: int) -> list[tuple[int, int]]:
    """The pairs to watch: all of few columns, else those that say most of each other."""
    every = [(i, j) for i in range(columns) for j in range(i + 1, columns)]
    if len(every) <= MAX_PAIRS:
        return every
    worth = {pair: information(joint_counts(groups[pair[0]], groups[pair[1]])) for pair in every}
    return sorted(sorted(every, key=lambda pair: -worth[pair])[:MAX_PAIRS])


def bets_of_pair(
    joint: Floats, first: Floats, second: Floats, radius: float, fitted: float
) -> tuple[tuple[Bet, ...], Floats]:
    """The bets on a pair and their e-values (bets, GROUPS * GROUPS).

    Args:
        joint: reference rows per pair of groups.
        first, second: mean normal scores of the groups.
        radius, fitted: in which nothing counts as changed; the second for bets that are taken from `joint`.
    """
    table = joint.reshape(GROUPS, GROUPS)
    rows = table.sum()
    product = table.sum(axis=1)[:, None] * table.sum(axis=0) / rows
    lost = np.divide(product, np.maximum(table, 0.5), out=np.ones_like(table), where=product > 0).ravel()
    product_of_scores = (first[:, None] * second).ravel()
    bets = [Bet(Change.UNLINKED, 0.4, 1.5), Bet(Change.UNLINKED, 0.95, 1.5)]
    tilts = []
    for change, sign in ((Change.LINKED, 1.0), (Change.REVERSED, -1.0)):
        for tilt, weight in _TILTS:
            bets.append(Bet(change, tilt, weight))
            tilts.append(np.exp(np.minimum(sign * tilt * product_of_scores, _CAP)))
    unlinked = np.minimum(np.array([0.6 + 0.4 * lost, 0.05 + 0.95 * lost]), math.exp(_CAP))
    return tuple(bets), np.concatenate([e_values(unlinked, joint, fitted), e_values(np.array(tilts), joint, radius)])
