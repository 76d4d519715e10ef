"""Thresholds of gradient-boosted trees, put where float32 and float64 take the same branch.

What is served compares numbers rounded to float32; scikit-learn's histogram trees compare them as they are. A threshold
half-way between 4.8 and 5.0 is as good as 4.9, and a row with 4.9 falls left of it by one rounding and right of it by
the other. Here every threshold moves to the edge of what rounds to the same float32, at most half a step of float32
away: then x is at most the threshold exactly when x rounded is at most the threshold rounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

_WITHIN = ("estimator", "regressor_", "estimator_")
_MANY_WITHIN = ("calibrated_classifiers_", "estimators_")


def settle(estimator: Any) -> None:
    """Move the thresholds of all histogram trees within a fitted estimator."""
    for each in _boosted(estimator):
        for stage in each._predictors:  # scikit-learn has no public way to the trees
            for tree in stage:
                nodes = tree.nodes
                nodes["num_threshold"] = _edges(nodes["num_threshold"])


def never_splits(estimator: Any) -> bool:
    """Whether its histogram trees say the same of every row, as they do of fewer rows than two leaves hold."""
    boosted = list(_boosted(estimator))
    trees = [tree for each in boosted for stage in each._predictors for tree in stage]
    return bool(boosted) and all(len(tree.nodes) == 1 for tree in trees)


def _edges(thresholds: Any) -> Any:
    """For each the largest number that rounds to the same float32."""
    finite = np.isfinite(thresholds)
    rounded = np.where(finite, thresholds, 0.0).astype(np.float32)
    above = np.nextafter(rounded, np.float32(np.inf))
    edge = np.nextafter((rounded.astype(np.float64) + above.astype(np.float64)) / 2, -np.inf)
    return np.where(finite, edge, thresholds)


def _boosted(estimator: Any) -> Iterator[Any]:
    if hasattr(estimator, "_predictors"):
        yield estimator
        return
    if hasattr(estimator, "steps"):
        yield from _boosted(estimator.steps[-1][1])
    for name in _WITHIN:
        within = getattr(estimator, name, None)
        if hasattr(within, "predict"):
            yield from _boosted(within)
    for name in _MANY_WITHIN:
        for within in np.ravel(np.asarray(getattr(estimator, name, []), dtype=object)):
            yield from _boosted(within)
