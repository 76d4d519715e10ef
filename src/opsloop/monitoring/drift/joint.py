"""A bet on all columns at once, in the direction in which the latest rows lie.

A small change of many columns shows in none of them soon. Each row has a vector s of scores: level and spread of each
number, frequent categories, products of pairs. Every 64 rows a direction is learned from the rows before,

    a = Sigma^-1 m,      m the exponentially weighted mean of s, shrunk toward 0 (James-Stein),

and the next 64 rows are bet on the tilted distribution: e = exp(a s) / (mean + r sd), with mean and sd of exp(a s) over
the reference's rows. The direction is known before the rows that it is bet on, which is all that an e-value needs. It
follows the stream, hence also what the reference leaves open: the radius is r = tolerance + (sqrt(p) + z) / sqrt(n),
the length of a p-dimensional standard error (see `bets`).

Sources: P. Grünwald, R. de Heide, W. Koolen, Safe testing, JRSS B 86 (2024), 1091-1128 (plug-in alternatives);
W. James, C. Stein, Estimation with quadratic loss, Proc. 4th Berkeley Symp. 1 (1961), 361-379.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from opsloop.monitoring.drift.columns import Column, Floats, Ints
from opsloop.monitoring.drift.pairs import GROUPS

PERIOD, MEMORIES = 64, (64.0, 512.0)
"""Rows for which a direction holds, and over which the mean is taken, for each of the bets."""
BLOCK_PERIOD, BLOCK_MEMORIES = 4, (8.0, 32.0)
"""The same in blocks."""
_LARGEST_SCORE = 3.0
_LONGEST = 1.5
_CATEGORIES = 3
_RIDGE = 1e-3


class Scores:
    """The vector of a row, as tables: a token is a column's bin or a pair's cell, and s is the sum over its tokens."""

    def __init__(self, columns: Sequence[Column], pairs: Sequence[tuple[int, int]], bins: Ints, groups: Sequence[Ints]):
        blocks = [_of_column(column) for column in columns]
        firsts = [np.clip(_group_means(column, own), -2.0, 2.0) for column, own in zip(columns, groups, strict=True)]
        blocks += [(firsts[first][:, None] * firsts[second]).reshape(-1, 1) for first, second in pairs]
        sizes = np.array([len(block) for block in blocks])
        self.bases: Ints = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        width = sum(block.shape[1] for block in blocks)
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
        self.inverse: Floats = np.linalg.inv(correlation)
        self.rank = width


def _of_column(column: Column) -> Floats:
    counts = column.counts
    if column.is_category:
        frequent = np.argsort(-counts[: len(column.labels)], kind="stable")[:_CATEGORIES]
        own: Floats = (np.arange(len(counts))[:, None] == frequent).astype(np.float64)
        return own
    level = np.clip(column.scores, -_LARGEST_SCORE, _LARGEST_SCORE)
    return np.column_stack([level, np.minimum(level**2, _LARGEST_SCORE**2)])


def _group_means(column: Column, groups: Ints) -> Floats:
    mass = np.bincount(groups, weights=column.counts, minlength=GROUPS)
    total = np.bincount(groups, weights=column.counts * column.scores, minlength=GROUPS)
    return np.divide(total, mass, out=np.zeros(GROUPS), where=mass > 0)


class Directions:
    """What is bet on now, and the rows since it was learned."""

    def __init__(self, scores: Scores, radius: float, period: int, memories: Sequence[float]) -> None:
        self._scores, self.period, self._memories = scores, period, memories
        self.means: Floats = np.zeros((len(memories), scores.rank))
        self.directions: Floats = np.zeros_like(self.means)
        self.offsets: Floats = np.zeros(len(memories))
        self.logs: Floats = np.zeros((len(scores.table), len(memories)))
        self.is_betting = False
        self._radius = radius
        self.seen = 0

    def learn(self, tokens: Ints) -> None:
        """Take in the tokens of `period` rows, (rows, tokens), and choose the next directions."""
        mean = self._scores.table.take(tokens.ravel(), 0).sum(axis=0) / len(tokens)
        self.seen += len(tokens)
        for place, memory in enumerate(self._memories):
            keep = math.exp(-len(tokens) / memory)
            self.means[place] += (1.0 - keep) * (mean - self.means[place])
        self._choose()

    def _choose(self) -> None:
        scores = self._scores
        tilted = self.means @ scores.inverse
        lengths = np.einsum("ij,ij->i", tilted, self.means)
        self.directions[:] = 0.0
        self.offsets[:] = 0.0
        for place, memory in enumerate(self._memories):
            kept = math.exp(-self.period / memory)
            rows = min(float(self.seen), self.period * (1.0 + kept) / (1.0 - kept))
            length = float(lengths[place])
            shrunk = 1.0 - (scores.rank - 2) / (rows * length) if length > 0 else 0.0
            if shrunk * math.sqrt(max(length, 0.0)) <= 2.0 * self._radius:
                continue
            shrunk *= min(1.0, _LONGEST / (shrunk * math.sqrt(length)))
            self.directions[place] = shrunk * tilted[place]
            factors = np.exp(np.clip(scores.rows @ self.directions[place], -30.0, 30.0))
            self.offsets[place] = math.log(float(factors.mean()) + self._radius * float(factors.std()))
        self.is_betting = bool(self.directions.any())
        if self.is_betting:
            self.logs = scores.table @ self.directions.T

    def factors(self, tokens: Sequence[int] | Ints) -> Floats:
        """The e-values of one row, (memories,), or of several rows of tokens, (rows, memories)."""
        logs = self.logs.take(tokens, 0).sum(axis=-2) - self.offsets
        found: Floats = np.exp(np.clip(logs, -12.0, 12.0))
        return found

    def state(self) -> dict[str, Floats]:
        return {"means": self.means, "directions": self.directions, "offsets": self.offsets, "logs": self.logs}

    def restore(self, arrays: dict[str, Floats], seen: int) -> None:
        self.seen = seen
        self.means, self.directions = arrays["means"], arrays["directions"]
        self.offsets, self.logs = arrays["offsets"], arrays["logs"]
        self.is_betting = bool(self.directions.any())
