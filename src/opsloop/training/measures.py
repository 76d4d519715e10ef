"""How good predictions are: the usual figures, and how well probabilities are calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from opsloop.training.measure_names import CLASSIFICATION, NEED_PROBABILITIES, REGRESSION
from opsloop.training.table import Array

BINS = 15


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a model said about some rows.

    Args:
        values: labels or numbers.
        probabilities: (rows, classes) in the order of all classes; None where the model has none.
    """

    values: Array
    probabilities: Array | None = None

    def kept(self, rows: Array) -> Predicted:
        return Predicted(self.values[rows], None if self.probabilities is None else self.probabilities[rows])


def measured(
    y: Array, predicted: Predicted, *, classes: Array | None = None, weights: Array | None = None
) -> Mapping[str, float]:
    """All figures that are defined for these rows.

    Args:
        classes: as y has them, in the order of the probabilities; None for a regression.
    """
    names = REGRESSION if classes is None else CLASSIFICATION
    found = {name: _figure(name, y, predicted, classes, weights) for name in names}
    return {name: float(value) for name, value in found.items() if value is not None and np.isfinite(value)}


def _figure(name: str, y: Array, predicted: Predicted, classes: Array | None, weights: Array | None) -> Any:
    from sklearn import metrics  # an extra, half a second

    if name in NEED_PROBABILITIES:
        if predicted.probabilities is None or classes is None:
            return None
        return _of_probabilities(name, np.searchsorted(classes, y), predicted.probabilities, weights)
    match name:
        case "mse":
            return metrics.mean_squared_error(y, predicted.values, sample_weight=weights)
        case "rmse":
            return metrics.root_mean_squared_error(y, predicted.values, sample_weight=weights)
        case "mae":
            return metrics.mean_absolute_error(y, predicted.values, sample_weight=weights)
        case "r2":
            return metrics.r2_score(y, predicted.values, sample_weight=weights) if len(y) > 1 else None
        case "accuracy":
            return metrics.accuracy_score(y, predicted.values, sample_weight=weights)
        case "balanced_accuracy":
            return _balanced_accuracy(y, predicted.values, weights)
        case _:
            return metrics.f1_score(y, predicted.values, average="macro", sample_weight=weights, zero_division=0.0)


def _balanced_accuracy(y: Array, values: Array, weights: Array | None) -> float:
    """The mean share of right answers over the classes that stand in y; predicting another class is no warning here."""
    weigh = np.ones(len(y)) if weights is None else weights
    shares = []
    for label in np.unique(y):
        of_class = weigh * (y == label)
        shares.append(float((of_class * (values == label)).sum() / of_class.sum()) if of_class.sum() else 0.0)
    return float(np.mean(shares))


def _of_probabilities(name: str, codes: Array, probabilities: Array, weights: Array | None) -> float | None:
    match name:
        case "roc_auc":
            return _roc_auc(codes, probabilities, weights)
        case "log_loss":
            chosen = np.clip(probabilities[np.arange(len(codes)), codes], 1e-15, 1.0)
            return float(np.average(-np.log(chosen), weights=weights))
        case "brier":
            return brier(codes, probabilities, weights)
        case _:
            return expected_calibration_error(codes, probabilities, weights)


def _roc_auc(codes: Array, probabilities: Array, weights: Array | None) -> float | None:
    """Of one class against the other; of more the mean of each against the rest."""
    from sklearn.metrics import roc_auc_score

    count = probabilities.shape[1]
    if len(np.unique(codes)) < count:
        return None
    places = [1] if count == 2 else range(count)
    areas = [roc_auc_score(codes == place, probabilities[:, place], sample_weight=weights) for place in places]
    return float(np.mean(areas))


def brier(codes: Array, probabilities: Array, weights: Array | None = None) -> float:
    """Mean squared distance of the probabilities from what came out, over all classes: from 0 to 2.

    With two classes this is twice the squared error of one class's probability, as Brier has it.
    Source: G. W. Brier, Verification of forecasts expressed in terms of probability, Monthly Weather Review 78 (1950).
    """
    squared = (probabilities**2).sum(axis=1) - 2 * probabilities[np.arange(len(codes)), codes] + 1
    return float(np.average(squared, weights=weights))


def expected_calibration_error(codes: Array, probabilities: Array, weights: Array | None = None) -> float:
    """How far the confidence in the most probable class is from how often it is right, over 15 bins of equal width.

    Source: C. Guo, G. Pleiss, Y. Sun, K. Weinberger, On calibration of modern neural networks, ICML 2017, eq. 3.
    """
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == codes
    weigh = np.ones(len(codes)) if weights is None else weights
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=weigh * (confidence - is_right), minlength=BINS)
    return float(np.abs(gaps).sum() / weigh.sum())
