"""Fitting one estimator, the same way each time, and asking it about other rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from opsloop.core.errors import OpsloopError
from opsloop.training.building import built
from opsloop.training.dividing import Fold
from opsloop.training.errors import FitFailed, PredictionFailed
from opsloop.training.functions import Source
from opsloop.training.measures import Predicted
from opsloop.training.pipeline import PipelineSpec
from opsloop.training.table import Array, Feature, Table
from opsloop.training.thresholds import never_splits, settle


@dataclass(frozen=True, eq=False)
class Recipe:
    """All that an estimator is made from; it can be sent to another process.

    Args:
        labels: all that there are, sorted, as y has them; None for a regression.
    """

    spec: PipelineSpec
    features: tuple[Feature, ...]
    task: str
    seed: int
    source: Source | None = None
    labels: Array | None = None

    @property
    def known(self) -> list[Any]:
        return [] if self.labels is None else list(self.labels.tolist())


@dataclass(frozen=True, eq=False)
class Rows:
    """What is fitted and measured on, as it is sent to another process once."""

    X: Array
    y: Array
    weights: Array | None = None

    @classmethod
    def of(cls, table: Table) -> Rows:
        return cls(table.X, table.y, table.weights)


@dataclass(frozen=True, eq=False)
class Trial:
    """A fit on some rows and the question about others; `overrides` are values of a search."""

    fold: Fold
    overrides: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a trial; `failure` is a sentence when the parameters cannot be fitted."""

    predicted: Predicted | None
    warnings: tuple[str, ...] = ()
    failure: str = ""


@dataclass(frozen=True, eq=False)
class Fitted:
    estimator: Any
    warnings: tuple[str, ...]


def fitted(recipe: Recipe, rows: Rows, learn: Array, overrides: Mapping[str, Any]) -> Fitted:
    """An estimator fitted on some rows. Raises: PipelineInvalid, FunctionBroke, FitFailed."""
    X, y = rows.X[learn], rows.y[learn]
    if recipe.labels is not None and (y == y[0]).all():
        raise FitFailed(
            f"a model of {recipe.spec.target} cannot be fitted on rows that are all of class {y[0].item()!r}"
        )
    weights = None if rows.weights is None else rows.weights[learn]
    with same_each_time(recipe.seed), _noted() as noted:
        if recipe.source is not None and recipe.source.function.trains:
            estimator = recipe.source.trained(overrides, X, y, weights)
        else:
            estimator = _unfitted(recipe, overrides)
            _fit(estimator, X, y, weights)
    _set_everywhere(estimator, "n_jobs", 1)
    if never_splits(estimator):
        reason = (
            f"{len(y)} rows are too few for trees of leaves with 20; lower min_samples_leaf or take another estimator"
        )
        raise FitFailed(estimator=_last(estimator), reason=reason)
    settle(estimator)
    return Fitted(estimator, tuple(noted))


def outcome(recipe: Recipe, rows: Rows, trial: Trial) -> Outcome:
    """Fit, and ask about the rows to measure by. Raises: PipelineInvalid, FunctionBroke."""
    try:
        found = fitted(recipe, rows, trial.fold.learn, trial.overrides)
        predicted = predictions(found.estimator, rows.X[trial.fold.measure], recipe.labels)
    except (FitFailed, PredictionFailed) as error:
        return Outcome(None, failure=error.sentence)
    return Outcome(predicted, found.warnings)


def predictions(estimator: Any, X: Array, classes: Array | None) -> Predicted:
    """What a fitted estimator says; probabilities of classes that it did not see are 0. Raises: PredictionFailed."""
    asked = classes if hasattr(estimator, "predict_proba") else None
    try:
        with same_each_time(0), _noted():
            said = estimator.predict_proba(X) if asked is not None else _flat(estimator.predict(X))
    except Exception as error:
        raise PredictionFailed(estimator=_last(estimator), reason=_reason(error)) from error
    if asked is None:
        return Predicted(said)
    known = np.asarray(said, dtype=np.float64)
    places = np.searchsorted(asked, estimator.classes_)
    probabilities = np.zeros((len(X), len(asked)))
    probabilities[:, places] = known
    return Predicted(np.asarray(estimator.classes_)[known.argmax(axis=1)], probabilities)


@contextmanager
def same_each_time(seed: int) -> Iterator[None]:
    """The same random numbers, and sums in one order: with more threads of BLAS or OpenMP they round in another."""
    import random

    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    before, python_before = np.random.get_state(), random.getstate()
    np.random.seed(seed)  # users' functions draw from it
    random.seed(seed)
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        np.random.set_state(before)
        random.setstate(python_before)


def _unfitted(recipe: Recipe, overrides: Mapping[str, Any]) -> Any:
    if recipe.source is not None:
        estimator = recipe.source.estimator(overrides)
    else:
        estimator = built(recipe.spec, recipe.features, recipe.task, overrides, recipe.known)
    _seed(estimator, recipe.seed)
    return estimator


def _seed(estimator: Any, seed: int) -> None:
    """Every part that draws random numbers and was not told how."""
    if hasattr(estimator, "get_params"):
        chosen = {
            name: seed
            for name, value in estimator.get_params(deep=True).items()
            if value is None and (name == "random_state" or name.endswith("__random_state"))
        }
        estimator.set_params(**chosen)


def _set_everywhere(estimator: Any, option: str, value: Any) -> None:
    """In parts that have the option: with more threads a forest adds up the votes of its trees in any order."""
    if hasattr(estimator, "get_params"):
        names = [name for name in estimator.get_params(deep=True) if name == option or name.endswith(f"__{option}")]
        estimator.set_params(**dict.fromkeys(names, value))


def _fit(estimator: Any, X: Array, y: Array, weights: Array | None) -> None:
    """Raises: FitFailed."""
    name = _last(estimator)
    try:
        if weights is None:
            estimator.fit(X, y)
        elif hasattr(estimator, "steps"):
            estimator.fit(X, y, **{f"{estimator.steps[-1][0]}__sample_weight": weights})
        else:
            estimator.fit(X, y, sample_weight=weights)
    except OpsloopError:
        raise
    except Exception as error:  # whatever scikit-learn or a user's estimator raises, as a sentence
        if weights is not None and "sample_weight" in str(error):
            raise FitFailed(
                estimator=name, reason="it does not take a weight for each row; leave weight out"
            ) from error
        raise FitFailed(estimator=name, reason=_reason(error)) from error


def _last(estimator: Any) -> str:
    return type(estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator).__name__


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _flat(values: Any) -> Array:
    found = np.asarray(values)
    return found.reshape(len(found)) if found.ndim == 2 and found.shape[1] == 1 else found


@contextmanager
def _noted() -> Iterator[list[str]]:
    """Warnings as sentences, each once."""
    found: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield found
    for each in caught:
        text = " ".join(str(each.message).split())
        if text not in found and not issubclass(each.category, DeprecationWarning | FutureWarning):
            found.append(text if len(text) <= 300 else f"{text[:299]}…")


def said_once(sentences: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentences))
