"""Intervals around predictions, and sets of labels, that hold the truth as often as they say.

What is kept with a model are the scores of rows that it did not learn from: how far each prediction was from the truth.
From them an interval of any level follows for a new prediction, without the model. When new rows come from where those
rows came from, the interval holds the truth in at least 1 - alpha of all cases (split conformal prediction).

Sources: V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World (2005), ch. 4.1, 4.5 (by class);
J. Lei et al., Distribution-free predictive inference for regression, JASA 113 (2018), 1094-1111, theorem 2.2, and 5.2
for scaled scores; M. Sadinle, J. Lei, L. Wasserman, Least ambiguous set-valued classifiers, JASA 114 (2019) (`lac`);
Y. Romano, M. Sesia, E. Candès, Classification with valid and adaptive coverage, NeurIPS 2020 (`aps`, without its
random part).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

Array = np.ndarray[Any, Any]
METHODS = ("absolute", "normalised", "lac", "aps")
ROUNDING = 1e-6
"""What float32 may take from a probability; labels whose score is the bound itself stay in."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of the calibration rows, sorted.

    Args:
        rows: how many there were.
        values: those kept, ascending.
        ranks: of the kept ones among all, counted from 1; empty when all are kept.
    """

    rows: int
    values: tuple[float, ...]
    ranks: tuple[int, ...] = ()

    def bound(self, alpha: float) -> float:
        """The score that at most a share alpha of new rows exceeds; infinite when there are too few rows to say."""
        rank = math.ceil((self.rows + 1) * (1 - alpha) - 1e-9)
        if rank > self.rows or not self.values:
            return math.inf
        place = rank - 1 if not self.ranks else int(np.searchsorted(self.ranks, rank))
        return self.values[max(0, place)]


@dataclass(frozen=True, slots=True)
class Scale:
    """How far predictions usually are from the truth, by the prediction: linear between places, constant outside."""

    at: tuple[float, ...]
    error: tuple[float, ...]

    def of(self, predictions: Array) -> Array:
        return np.interp(predictions, self.at, self.error)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What intervals of one alpha came to on rows kept apart from those that calibrated them."""

    alpha: float
    coverage: float
    size: float | None
    """Mean width of an interval, or mean number of labels in a set; None where some are infinite."""
    rows: int


@dataclass(frozen=True, slots=True)
class Conformal:
    """All that is needed for intervals of a model's predictions; the content of `conformal.json`.

    Args:
        method: `absolute` or `normalised` distance for numbers, `lac` or `aps` for labels.
        calibrated_on: `held_out` rows, for which the guarantee holds, or those left out in `folds`, for which it holds
            about.
        by_class: the scores of each class, by its place, when every class is to be covered for itself.
        note: what the guarantee supposes here.
    """

    method: str
    calibrated_on: str
    scores: Scores
    scale: Scale | None = None
    by_class: tuple[Scores, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    note: str = ""

    def interval(self, predictions: Array, alpha: float) -> tuple[Array, Array]:
        """Lower and upper ends; infinite when there were too few rows for such a small alpha."""
        bound = self.scores.bound(alpha)
        half = np.full(len(predictions), bound) if self.scale is None else bound * self.scale.of(predictions)
        return predictions - half, predictions + half

    def sets(self, probabilities: Array, alpha: float) -> Array:
        """(rows, classes): which classes are in each row's set; the most probable one always is."""
        bounds: Any = self.scores.bound(alpha)
        if self.by_class:
            bounds = np.array([each.bound(alpha) for each in self.by_class])
        found: Array = class_scores(probabilities, self.method) <= bounds + ROUNDING
        found[np.arange(len(found)), probabilities.argmax(axis=1)] = True
        return found

    def to_json(self) -> bytes:
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> Conformal:
        """Raises: msgspec.ValidationError, msgspec.DecodeError."""
        return msgspec.json.decode(data, type=cls)


def class_scores(probabilities: Array, method: str) -> Array:
    """(rows, classes): how strange each label would be. `lac`: 1 - its probability; `aps`: the mass down to it."""
    if method == "lac":
        return np.asarray(1.0 - probabilities)
    order = np.argsort(-probabilities, axis=1, kind="stable")
    mass = np.cumsum(np.take_along_axis(probabilities, order, axis=1), axis=1)
    found = np.empty_like(mass)
    np.put_along_axis(found, order, mass, axis=1)
    return found
