"""Bets on all columns at once, in the direction in which the latest rows lie.

A small change of many columns shows in none of them soon. Each row has a vector s of scores: level and spread of each
number, frequent categories, products of pairs. Every 64 rows directions are learned from the rows before,

    a = Sigma^-1 m,      m the exponentially weighted mean of s, shrunk toward 0 (James-Stein),

one over levels, one over spreads, one over everything with a longer memory (few figures are learned sooner than many).
The next 64 rows are bet on the tilted distribution: e = exp(a s) / (mean + r sd), mean and sd of exp(a s) over the
reference's rows. The direction is known before the rows that it is bet on, which is all that an e-value needs.

What the reference leaves open is an error of its mean of s, about p / n in squared length. The direction follows the
stream, hence that error: by at most p / (n |a|) beyond what a direction that does not know the reference would meet, so
that r = tolerance + z / sqrt(n) + p / (n |a|), with z as in `bets`. This part of the promise is an average over
directions, not one for each; `benchmarks/drift_quality.py` checks it over references.

Sources: P. Grünwald, R. de Heide, W. Koolen, Safe testing, JRSS B 86 (2024), 1091-1128 (plug-in alternatives);
W. James, C. Stein, Estimation with quadratic loss, Proc. 4th Berkeley Symp. 1 (1961), 361-379.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from opsloop.monitoring.drift.bets import IDLE
from opsloop.monitoring.drift.columns import Column, Floats, Ints
from opsloop.monitoring.drift.pairs import GROUPS, group_scores

LEVEL, SPREAD, OTHER = "level", "spread", "other"


@dataclass(frozen=True, slots=True)
class Pace:
    """Args:
    period: rows for which a direction holds.
    bets: of each bet, the scores that it learns ("" for all) and the rows over which it takes their mean.
    """

    period: int
    bets: tuple[tuple[str, float], ...]


OF_ROWS = Pace(64, ((LEVEL, 64.0), (SPREAD, 64.0), ("", 512.0)))
OF_BLOCKS = Pace(4, ((LEVEL, 8.0), (SPREAD, 8.0), ("", 32.0)))
_LARGEST_SCORE = 3.0
_LONGEST = 1.5
_CATEGORIES = 3
_RIDGE = 1e-3
_CAP = 12.0
_SURE, _CLEAR = 2.0, 2.0
"""How clear a direction must be: standard errors beyond chance (else rows would be slow for nothing), and radii."""


class Scores:
    """The vector of a row, as tables: a token is a column's bin or a pair's cell, and s is the sum over its tokens."""

    def __init__(self, columns: Sequence[Column], pairs: Sequence[tuple[int, int]], bins: Ints, groups: Sequence[Ints]):
        blocks = [_of_column(column) for column in columns]
        firsts = [np.clip(group_scores(column, own), -2.0, 2.0) for column, own in zip(columns, groups, strict=True)]
        blocks += [(firsts[first][:, None] * firsts[second]).reshape(-1, 1) for first, second in pairs]
        kinds = [kind for column in columns for kind in _kinds(column)] + [OTHER] * len(pairs)
        sizes = np.array([len(block) for block in blocks])
        self.bases: Ints = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        width = sum(block.shape[1] for block in blocks)
        self.columns = int(sizes[: len(columns)].sum())
        """Tokens of columns; those of pairs follow."""
        self.table: Floats = np.zeros((int(sizes.sum()), width))
        tokens = [bins[:, place] for place in range(len(columns))]
        tokens += [groups[a][bins[:, a]] * GROUPS + groups[b][bins[:, b]] for a, b in pairs]
        self.rows: Floats = np.empty((len(bins), width))
        start = 0
        for block, base, own in zip(blocks, self.bases.tolist(), tokens, strict=True):
            end = start + block.shape[1]
            centred = block - block[own].mean(axis=0)
            self.table[base : base + len(block), start:end] = centred
            self.rows[:, start:end] = centred[own]
            start = end
        covariance = self.rows.T @ self.rows / len(bins)
        scale = np.sqrt(np.maximum(np.diag(covariance), 1e-9))
        self.table /= scale
        self.rows /= scale
        correlation = covariance / np.outer(scale, scale) + _RIDGE * np.eye(width)
        self.correlation: Floats = correlation
        self.kinds: tuple[str, ...] = tuple(kinds)


def _of_column(column: Column) -> Floats:
    counts = column.counts
    if column.is_category:
        frequent = np.argsort(-counts[: len(column.labels)], kind="stable")[:_CATEGORIES]
        own: Floats = (np.arange(len(counts))[:, None] == frequent).astype(np.float64)
        return own
    level = np.clip(column.scores, -_LARGEST_SCORE, _LARGEST_SCORE)
    return np.column_stack([level, np.minimum(level**2, _LARGEST_SCORE**2)])


def _kinds(column: Column) -> list[str]:
    if column.is_category:
        return [OTHER] * min(_CATEGORIES, len(column.labels))
    return [LEVEL, SPREAD]


class Directions:
    """What is bet on now, and the mean of the rows so far."""

    def __init__(self, scores: Scores, radius: float, pace: Pace) -> None:
        self._scores, self._radius, self.pace = scores, radius, pace
        width, bets = len(scores.kinds), len(pace.bets)
        self._own = [np.flatnonzero([not kind or kind == each for each in scores.kinds]) for kind, _ in pace.bets]
        self._inverses = [np.linalg.inv(scores.correlation[np.ix_(own, own)]) for own in self._own]
        self.means: Floats = np.zeros((bets, width))
        self.directions: Floats = np.zeros((bets, width))
        self.offsets: Floats = np.zeros(bets)
        self.logs: Floats = np.zeros((len(scores.table), bets))
        self.seen = 0
        self.is_betting = False
        self.active: list[tuple[int, list[float], list[float]]] = []
        self._columns = scores.columns

    def learn(self, tokens: Ints) -> None:
        """Take in the tokens of `period` rows, (rows, tokens), and choose the next directions."""
        mean = self._scores.table.take(tokens.ravel(), 0).sum(axis=0) / len(tokens)
        self.seen += len(tokens)
        self.directions[:] = 0.0
        self.offsets[:] = 0.0
        for place, (_, memory) in enumerate(self.pace.bets):
            self.means[place] += (1.0 - math.exp(-len(tokens) / memory)) * (mean - self.means[place])
            self._choose(place, memory)
        self.is_betting = bool(self.directions.any())
        self._publish()

    def _publish(self) -> None:
        """Log factors by token: as an array for many rows, and as lists of the bets that are on for one row."""
        self.active = []
        if not self.is_betting:
            return
        self.logs = self._scores.table @ self.directions.T
        for place in np.flatnonzero(self.directions.any(axis=1)).tolist():
            logs = self.logs[:, place]
            self.active.append((place, logs[: self._columns].tolist(), logs[self._columns :].tolist()))

    def into(self, factors: Floats, tokens: list[int], cells: list[int]) -> None:
        """The e-values of one row, for the bets that are on: quicker than arrays are for so few."""
        for place, of_columns, of_pairs in self.active:
            log = sum(map(of_columns.__getitem__, tokens)) - self.offsets[place]
            log += sum(map(of_pairs.__getitem__, cells))
            factors[place] = math.exp(min(max(log, -_CAP), _CAP))

    def _choose(self, place: int, memory: float) -> None:
        """The direction of one bet; none while it is no longer than what chance and the reference explain."""
        own, scores = self._own[place], self._scores
        if not len(own):
            return
        mean = self.means[place, own]
        tilted = self._inverses[place] @ mean
        length = math.sqrt(max(float(tilted @ mean), 1e-12))
        kept = math.exp(-self.pace.period / memory)
        rows = min(float(self.seen), self.pace.period * (1.0 + kept) / (1.0 - kept))
        if length**2 * rows < len(own) + _SURE * math.sqrt(2.0 * len(own)):
            return
        shrunk = min(length - (len(own) - 2.0) / (rows * length), _LONGEST)
        if shrunk <= 0.0:
            return
        radius = self._radius + len(own) / (len(scores.rows) * shrunk)
        if shrunk <= _CLEAR * radius:
            return
        direction = tilted * (shrunk / length)
        self.directions[place, own] = direction
        factors = np.exp(np.clip(scores.rows[:, own] @ direction, -30.0, 30.0))
        self.offsets[place] = math.log(float(factors.mean()) + radius * float(factors.std()))

    def factors(self, tokens: Sequence[int] | Ints) -> Floats:
        """The e-values of one row, (bets,), or of several rows of tokens, (rows, bets)."""
        logs = self.logs.take(tokens, 0).sum(axis=-2) - self.offsets
        found: Floats = np.exp(np.clip(logs, -_CAP, _CAP))
        found[..., ~self.directions.any(axis=1)] = 1.0 / (1.0 + IDLE)
        return found

    def state(self) -> dict[str, Floats]:
        return {"means": self.means, "directions": self.directions, "offsets": self.offsets}

    def restore(self, arrays: dict[str, Floats], seen: int) -> None:
        self.seen = seen
        self.means, self.directions = arrays["means"], arrays["directions"]
        self.offsets = arrays["offsets"]
        self.is_betting = bool(self.directions.any())
        self._publish()
