"""What moves a judge that should not: the length of an answer, the order of a pair, chance.

Sources: L. Zheng et al., Judging LLM-as-a-judge with MT-bench and chatbot arena, NeurIPS 2023, section 3.3 (position
and verbosity bias, swapping the positions); Y. Dubois et al., Length-controlled AlpacaEval, COLM 2024 (length counts
only beside quality: here, among rows of the same label).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from opsloop.evaluation.judges.models import Biases, Measured
from opsloop.evaluation.statistics.figure import Figure
from opsloop.evaluation.statistics.intervals import wilson
from opsloop.evaluation.statistics.resampled import resampled
from opsloop.evaluation.statistics.rows import Floats

_LEAST_ROWS = 10


@dataclass(frozen=True, slots=True)
class Probed:
    """A judged row: `size` is the logarithm of the answer's length, `orders` the scores of a pair in both orders."""

    label: float
    score: float
    size: float
    orders: tuple[float, ...] = ()


def size_of(values: Mapping[str, Any]) -> float:
    """Of an answer, ln(1 + words); of a pair, how much longer the judged answer is than the other one."""
    size = math.log1p(len(str(values.get("answer") or "").split()))
    return size - math.log1p(len(str(values["other"] or "").split())) if "other" in values else size


def biases(rows: Sequence[Probed], again: Sequence[tuple[float | None, float | None]], *, seed: int = 0) -> Biases:
    """Args:
    again: the scores of rows that were asked a second time, both of them.
    """
    orders = [each.orders for each in rows if len(each.orders) == 2]
    # `orders` are for the judged answer; the one shown first was taken when the first is 1, or the second is 0.
    firsts = [score if place == 0 else 1.0 - score for pair in orders for place, score in enumerate(pair)]
    taken = [first for first in firsts if first != 0.5]
    return Biases(
        length=length_bias(rows, seed=seed),
        order=_share(sum(first == second for first, second in orders), len(orders)),
        first=_share(int(sum(taken)), len(taken)),
        retest=_share(sum(one is not None and one == other for one, other in again), len(again)),
    )


def length_bias(rows: Sequence[Probed], *, seed: int = 0) -> Measured | None:
    """The correlation of score and length among rows of the same label; None of fewer than ten rows."""
    if len(rows) < _LEAST_ROWS:
        return None
    labels = np.array([each.label for each in rows])
    scores = np.array([each.score for each in rows], dtype=np.float64)
    sizes = np.array([each.size for each in rows], dtype=np.float64)
    of_label = [np.flatnonzero(labels == label) for label in np.unique(labels)]

    def figures(weights: Floats) -> Mapping[str, Figure]:
        products = np.zeros((len(weights), 3))
        for places in of_label:
            products += _products(scores[places], sizes[places], weights[:, places])
        with np.errstate(invalid="ignore", divide="ignore"):
            found = products[:, 0] / np.sqrt(products[:, 1] * products[:, 2])
        return {"length": Figure(found, len(rows))}

    found = resampled(figures, range(len(rows)), seed=seed)["length"]
    if found.value is None or found.estimate is None:
        return None
    interval = found.estimate.interval(0.95)
    value, low, high = (max(-1.0, min(1.0, each)) for each in (found.value, interval.low, interval.high))
    return Measured(value, low, high, len(rows), "correlation within labels, BCa bootstrap")


def _products(scores: Floats, sizes: Floats, weights: Floats) -> Floats:
    """Weighted sums of (score size, score score, size size), each about its mean, shape (b, 3)."""
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
    score = scores[None, :] - (weights @ scores)[:, None] / total
    size = sizes[None, :] - (weights @ sizes)[:, None] / total
    found: Floats = np.stack([(weights * each).sum(axis=1) for each in (score * size, score**2, size**2)], axis=1)
    return found


def _share(hits: int, rows: int) -> Measured | None:
    if rows == 0:
        return None
    found = wilson(hits, rows)
    return Measured(found.estimate, found.low, found.high, rows, found.method)
