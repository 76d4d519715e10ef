"""Models that tests train: small ones of scikit-learn's own data."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression

from opsloop.models import conversion, inference
from opsloop.models.candidate import Candidate
from opsloop.models.signature import Signature, Task

IRIS_NAMES = ("sepal_length", "sepal_width", "petal_length", "petal_width")


def iris() -> tuple[Any, Any]:
    X, y = load_iris(return_X_y=True)
    return X, y


def diabetes() -> tuple[Any, Any]:
    X, y = load_diabetes(return_X_y=True)
    return X, y


def signature(X: Any, y: Any, task: Task, names: tuple[str, ...] = ()) -> Signature:
    names = names or tuple(f"x{at}" for at in range(X.shape[1]))
    return inference.signature_of(X, names, inference.output_of("y", task, y))


def candidate(estimator: Any, X: Any, y: Any, task: Task, **options: Any) -> Candidate:
    """A fitted model of some rows, ready to be registered."""
    estimator.fit(X, y)
    return conversion.candidate_of(estimator, X, y, signature(X, y, task), metrics={}, **options)


def iris_candidate(**options: Any) -> Candidate:
    X, y = iris()
    fitted = LogisticRegression(max_iter=500).fit(X, y)
    known = signature(X, y, Task.CLASSIFICATION, IRIS_NAMES)
    return conversion.candidate_of(fitted, X, y, known, metrics={"accuracy": 0.97}, **options)


def mixed(rows: int = 300) -> tuple[Any, Any]:
    """Two columns of numbers and one of text; the target depends on both."""
    random = np.random.default_rng(0)
    X = np.empty((rows, 3), dtype=object)
    X[:, 0], X[:, 2] = random.normal(size=rows), random.normal(size=rows)
    X[:, 1] = random.choice(["red", "green", "blue"], rows)
    return X, (X[:, 1] == "red") * 2.0 + X[:, 0].astype(float)
