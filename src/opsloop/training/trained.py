"""What a training run comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from opsloop.models.conformal import Conformal
from opsloop.training.confusion import Confusion
from opsloop.training.importance import Importances
from opsloop.training.searching import Searched
from opsloop.training.table import Array, Feature


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the folds."""

    mean: float
    deviation: float
    values: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Reference:
    """Rows to compare later ones with: what a model says of rows that it learned from, it will not say of others.

    Args:
        said: predictions for X by models that had not learned from the row: those of the folds, or the model itself
            for rows held out. None when there are none.
    """

    X: Array
    y: Array
    said: Array | None


@dataclass(frozen=True, eq=False)
class Trained:
    """A fitted estimator and what is known of it.

    Args:
        rows: how many it learned from.
        reference: rows and what was said of them by models that had not learned from them.
        metrics: on rows held out (`measured_on` is `held_out`), or on the means over `folds`.
        constant: the same figures of always saying the most frequent class or the mean, which learns nothing.
        folds: each figure of the cross-validation within the rows to learn from.
        confusion: which classes the model takes for which, on the rows of `metrics`.
        rows_known: the features of all rows, learned from or not.
        parameters: of the estimator as it was fitted, those found by a search among them.
        environment: Python, libraries, digests of code and data.
        warnings: sentences for whoever reads the run.
    """

    estimator: Any
    rows: int
    reference: Reference
    rows_known: Array
    features: tuple[Feature, ...]
    target: str
    task: str
    classes: tuple[str | int | bool, ...]
    metrics: Mapping[str, float]
    measured_on: str
    measured_rows: int
    constant: Mapping[str, float]
    folds: Mapping[str, Spread]
    confusion: Confusion | None
    importance: Importances | None
    conformal: Conformal | None
    search: Searched | None
    parameters: Mapping[str, Any]
    environment: Mapping[str, Any]
    warnings: tuple[str, ...]

    @property
    def is_of_scikit_learn(self) -> bool:
        """Whether the estimator is made of scikit-learn's classes alone, which its safe form for Python knows."""
        parts = [self.estimator]
        if hasattr(self.estimator, "get_params"):
            parts += [each for each in self.estimator.get_params(deep=True).values() if hasattr(each, "get_params")]
        return all(type(each).__module__.startswith("sklearn.") for each in parts)

    @property
    def X(self) -> Array:
        return self.reference.X

    @property
    def y(self) -> Array:
        return self.reference.y

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features)


def spreads(figures: list[Mapping[str, float]]) -> dict[str, Spread]:
    """Each figure that every fold has, over the folds."""
    names = [name for name in figures[0] if all(name in each for each in figures)] if figures else []
    found = {}
    for name in names:
        values = [each[name] for each in figures]
        deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        found[name] = Spread(float(np.mean(values)), deviation, tuple(values))
    return found
