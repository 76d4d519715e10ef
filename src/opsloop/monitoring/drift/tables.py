"""Bets as arrays that the hot path looks up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from opsloop.monitoring.drift import pairs as linked
from opsloop.monitoring.drift.bets import Bet, Change, bets_of, e_values, radii_of, radius_of
from opsloop.monitoring.drift.columns import Column, Floats, Ints
from opsloop.monitoring.drift.joint import Pace

_SHARE_OF_PAIRS = 0.2
_SHARE_OF_ALL = 0.3


@dataclass(frozen=True)
class Tables:
    """Bets as arrays. A column's bin b is row `bases[column] + b` of `factors`; so are pairs of groups, in
    `pair_factors`. Evidence lies flat: all columns' bets, then all pairs', then those on all columns at once."""

    bases: Ints
    factors: Floats
    groups: Ints
    """Coarse group of each row of `factors`."""
    pair_bases: Ints
    pair_factors: Floats
    weights: Floats
    bets: tuple[Bet, ...]
    subjects: tuple[tuple[int, ...], ...]
    """What each bet is on: one column, two, or () for all."""


def tables_of(
    columns: Sequence[Column],
    pairs: Sequence[tuple[int, int]],
    joints: Sequence[Floats],
    groups: Sequence[Ints],
    pace: Pace,
    *,
    rows: int,
    tolerance: float,
) -> Tables:
    """The bets on columns, pairs and all, as e-values, with their shares of the money.

    Args:
        joints: reference rows per pair of groups.
        rows: of the reference.
    """
    radius = radius_of(rows, len(columns), tolerance)
    bets: list[Bet] = []
    subjects: list[tuple[int, ...]] = []
    weights: list[Floats] = []
    factors, pair_factors = [], []
    fitted = radius_of(rows, len(columns), tolerance, linked.FIGURES)
    share_of_pairs = _SHARE_OF_PAIRS if pairs else 0.0
    share_of_columns = 1.0 - share_of_pairs - _SHARE_OF_ALL
    for place, column in enumerate(columns):
        own, ratios = bets_of(column)
        factors.append(e_values(ratios, column.counts, radii_of(own, rows, len(columns), tolerance)).T)
        bets += own
        subjects += [(place,)] * len(own)
        weights.append(_shares(own) * share_of_columns / len(columns))
    for (first, second), joint in zip(pairs, joints, strict=True):
        scores = [linked.group_scores(columns[place], groups[place]) for place in (first, second)]
        own, values = linked.bets_of_pair(joint, scores[0], scores[1], radius, fitted)
        pair_factors.append(values.T)
        bets += own
        subjects += [(first, second)] * len(own)
        weights.append(_shares(own) * share_of_pairs / len(pairs))
    bets_on_all = pace.bets
    bets += [Bet(Change.JOINT, memory, 1.0) for _, memory in bets_on_all]
    subjects += [()] * len(bets_on_all)
    weights.append(np.full(len(bets_on_all), _SHARE_OF_ALL / len(bets_on_all)))
    sizes = [len(column.counts) for column in columns]
    return Tables(
        bases=np.cumsum([0, *sizes[:-1]]).astype(np.int64),
        factors=np.ascontiguousarray(np.concatenate(factors)),
        groups=np.concatenate(groups),
        pair_bases=np.arange(len(pairs), dtype=np.int64) * linked.GROUPS**2,
        pair_factors=np.ascontiguousarray(
            np.concatenate(pair_factors) if pair_factors else np.ones((0, linked.BETS_PER_PAIR))
        ),
        weights=np.concatenate(weights),
        bets=tuple(bets),
        subjects=tuple(subjects),
    )


def _shares(bets: Sequence[Bet]) -> Floats:
    weights = np.array([bet.weight for bet in bets])
    shares: Floats = weights / weights.sum()
    return shares
