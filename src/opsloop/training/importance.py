"""How much a model leans on each feature: how much worse it does when the feature's values are shuffled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from opsloop.training.fitting import predictions
from opsloop.training.measure_names import HIGHER_IS_BETTER
from opsloop.training.measures import measured
from opsloop.training.table import Array

REPEATS = 5
MOST_ROWS = 2_000
MANY_FEATURES = 100
"""Of more features each is shuffled twice."""


@dataclass(frozen=True, slots=True)
class Importance:
    """Args:
    loss: mean rise of the loss (or fall of the score) when the feature is shuffled; about 0 when it is not used.
    spread: standard deviation over the shuffles.
    """

    feature: str
    loss: float
    spread: float


@dataclass(frozen=True, slots=True)
class Importances:
    """The features from the most to the least important, by `metric`."""

    metric: str
    features: tuple[Importance, ...]
    rows: int


def importance_of(
    estimator: Any,
    X: Array,
    y: Array,
    names: tuple[str, ...],
    *,
    classes: Array | None,
    seed: int,
    tick: Callable[[str], None],
) -> Importances:
    """Source: L. Breiman, Random forests, Machine Learning 45 (2001), section 10; rows are ones not learned from."""
    random = np.random.default_rng(seed)
    if len(y) > MOST_ROWS:
        chosen = np.sort(random.choice(len(y), MOST_ROWS, replace=False))
        X, y = X[chosen], y[chosen]
    whole = measured(y, predictions(estimator, X, classes), classes=classes)
    metric = "rmse" if classes is None else ("log_loss" if "log_loss" in whole else "accuracy")
    sign = -1.0 if metric in HIGHER_IS_BETTER else 1.0
    repeats = REPEATS if len(names) <= MANY_FEATURES else 2
    found = []
    for place, name in enumerate(names):
        losses = []
        for _ in range(repeats):
            shuffled = X.copy()
            shuffled[:, place] = X[random.permutation(len(X)), place]
            figures = measured(y, predictions(estimator, shuffled, classes), classes=classes)
            losses.append(sign * (figures[metric] - whole[metric]))
        found.append(Importance(name, float(np.mean(losses)), float(np.std(losses, ddof=1))))
        tick("measuring importance")
    found.sort(key=lambda each: (-each.loss, each.feature))
    return Importances(metric, tuple(found), len(y))
