"""The certificate of a conversion: what is served says what was trained says, row by row.

It is held against the rows of training, and, where trees look at the inputs themselves, against rows that lie on either
side of each of their thresholds, one step of a float32 away: there a conversion that rounds takes the other branch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsloop.models.errors import ParityMissed
from opsloop.models.models import Parity
from opsloop.models.runtime import Predictions
from opsloop.models.signature import Signature, Task

TOLERANCE = 1e-4
"""Of a probability, or of a regression's predictions as a part of their spread: what float32 needs in long sums."""
MOST_ROWS = 50_000
MOST_THRESHOLDS = 20_000


def rows_to_compare(estimator: Any, X: NDArray[Any], *, seed: int) -> NDArray[Any]:
    """Rows of training, a sample of them when there are many, and rows beside thresholds."""
    if len(X) > MOST_ROWS:
        chosen = np.random.default_rng(seed).choice(len(X), MOST_ROWS, replace=False)
        X = X[np.sort(chosen)]
    beside = _beside_thresholds(estimator, X, seed=seed)
    return X if beside is None else np.concatenate([X, beside])


def compared(
    estimator: Any, X: NDArray[Any], served: Predictions, signature: Signature, *, precision: str, model: str
) -> Parity:
    """The certificate. Raises: ParityMissed."""
    if signature.output.task is Task.REGRESSION:
        trained = np.asarray(estimator.predict(X), dtype=np.float64).reshape(-1)
        spread = float(np.std(trained)) or max(1.0, float(np.max(np.abs(trained), initial=0.0)))
        found = np.asarray(served.values, dtype=np.float64)
        return _within(np.abs(found - trained) / spread, np.zeros(0, dtype=bool), precision, model)
    labels = np.asarray(estimator.predict(X)).reshape(-1)
    given = np.asarray(served.values, dtype=object)
    differs = np.array([str(a) != str(b) for a, b in zip(labels.tolist(), given.tolist(), strict=True)])
    if served.scores is None or not hasattr(estimator, "predict_proba"):
        return _within(differs.astype(np.float64), differs, precision, model)
    scores = np.asarray(estimator.predict_proba(X), dtype=np.float64)
    gaps = np.abs(np.asarray(served.scores, dtype=np.float64) - scores).max(axis=1, initial=0.0)
    # Where two classes are as likely, which of them is named is a matter of rounding.
    best = np.sort(scores, axis=1)
    ties = best[:, -1] - best[:, -2] <= TOLERANCE
    return _within(np.where(differs & ~ties, 1.0, gaps), differs, precision, model)


def _within(gaps: NDArray[np.float64], differs: NDArray[np.bool_], precision: str, model: str) -> Parity:
    largest = float(np.max(gaps, initial=0.0))
    if not largest <= TOLERANCE:
        count = int(np.sum(~(gaps <= TOLERANCE)))
        reason = f"{count} of {len(gaps)} rows differ, by up to {largest:.3g}, where {TOLERANCE:g} is let in"
        raise ParityMissed(model=model, reason=reason)
    return Parity(len(gaps), largest, int(differs.sum()), precision, TOLERANCE)


def _beside_thresholds(estimator: Any, X: NDArray[Any], *, seed: int) -> NDArray[np.float64] | None:
    """Rows of training in which one input lies one float32 step from a threshold of a tree that looks at it."""
    if X.dtype == object or hasattr(estimator, "steps"):
        return None
    found = sorted(set(_thresholds(estimator)))
    if not found:
        return None
    random = np.random.default_rng(seed)
    if len(found) > MOST_THRESHOLDS:
        found = [found[at] for at in np.sort(random.choice(len(found), MOST_THRESHOLDS, replace=False))]
    columns = np.array([column for column, _ in found])
    at = np.array([threshold for _, threshold in found]).astype(np.float32)
    rows = []
    for side in (-np.inf, np.inf):
        beside = X[random.integers(len(X), size=len(found))].copy()
        beside[np.arange(len(found)), columns] = np.nextafter(at, np.float32(side))
        rows.append(beside)
    return np.concatenate(rows)


def _thresholds(estimator: Any) -> Iterator[tuple[int, float]]:
    """(column, threshold) of every branch."""
    tree = getattr(estimator, "tree_", None)
    if tree is not None:
        inner = tree.feature >= 0
        yield from zip(tree.feature[inner].tolist(), tree.threshold[inner].tolist(), strict=True)
    for each in np.ravel(np.asarray(getattr(estimator, "estimators_", []), dtype=object)):
        yield from _thresholds(each)
    for stage in getattr(estimator, "_predictors", []):  # HistGradientBoosting: a list of trees each round
        for each in stage:
            inner = ~each.nodes["is_leaf"].astype(bool)
            yield from zip(
                each.nodes["feature_idx"][inner].tolist(), each.nodes["num_threshold"][inner].tolist(), strict=True
            )
