"""Figures of predicted rows with their labels, each with an interval of 95 %.

A share has Wilson's interval; the others the percentiles of a bootstrap with a fixed seed, so that the same rows give
the same figures. Sources: E. B. Wilson, JASA 22 (1927), 209-212; B. Efron, R. J. Tibshirani, An Introduction to the
Bootstrap (1993), ch. 13.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from opsloop.monitoring.performance.reports import Figure

Array = np.ndarray[Any, Any]
_Z = 1.959964
_RESAMPLES = 200
_LEAST = 2
HIGHER_IS_BETTER = frozenset({"accuracy", "f1_macro", "r2"})
FIRST = {"classification": "accuracy", "regression": "mse"}
"""The figure that is tested and drawn."""


def figures(task: str, labels: Sequence[Any], predicted: Sequence[Any]) -> list[Figure]:
    """Accuracy and macro F1 of a classification; squared and absolute error and R² of a regression."""
    if not labels:
        return []
    return _of_classes(labels, predicted) if task == "classification" else _of_numbers(labels, predicted)


def hits(labels: Sequence[Any], predicted: Sequence[Any]) -> Array:
    return np.array([label == said for label, said in zip(labels, predicted, strict=True)], dtype=float)


def wilson(successes: float, rows: int) -> tuple[float, float]:
    share = successes / rows
    spread = _Z * math.sqrt(share * (1 - share) / rows + _Z**2 / (4 * rows**2))
    middle, scale = share + _Z**2 / (2 * rows), 1 + _Z**2 / rows
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def _of_classes(labels: Sequence[Any], predicted: Sequence[Any]) -> list[Figure]:
    rows = len(labels)
    right = float(hits(labels, predicted).sum())
    classes = {each: place for place, each in enumerate(sorted({*labels, *predicted}, key=repr))}
    count = len(classes)
    cells = np.zeros((count, count))
    for label, said in zip(labels, predicted, strict=True):
        cells[classes[label], classes[said]] += 1
    low, high = _bootstrapped_cells(cells)
    return [
        Figure("accuracy", right / rows, *wilson(right, rows), rows),
        Figure("f1_macro", float(_f1(cells[None])[0]), low, high, rows),
    ]


def _f1(cells: Array) -> Array:
    """Macro F1 of confusion matrices (…, class, said), over the classes that occur."""
    true = np.diagonal(cells, axis1=-2, axis2=-1)
    total = cells.sum(-1) + cells.sum(-2)
    occurs = total > 0
    each = np.divide(2 * true, total, out=np.zeros_like(true), where=occurs)
    return np.asarray(each.sum(-1) / np.maximum(occurs.sum(-1), 1))


def _bootstrapped_cells(cells: Array) -> tuple[float | None, float | None]:
    rows = int(cells.sum())
    if rows < _LEAST:
        return None, None
    drawn = np.random.default_rng(0).multinomial(rows, cells.ravel() / rows, size=_RESAMPLES)
    return _ends(_f1(drawn.reshape(_RESAMPLES, *cells.shape).astype(float)))


def _of_numbers(labels: Sequence[Any], predicted: Sequence[Any]) -> list[Figure]:
    truth, said = np.asarray(labels, dtype=float), np.asarray(predicted, dtype=float)
    measures: dict[str, Callable[[Array, Array], float]] = {"mse": _mse, "mae": _mae, "r2": _r2}
    drawn = np.random.default_rng(0).integers(0, len(truth), size=(_RESAMPLES, len(truth)))
    found = []
    for name, measure in measures.items():
        if name == "r2" and (len(truth) < _LEAST or np.ptp(truth) == 0):
            continue
        low, high = None, None
        if len(truth) >= _LEAST:
            low, high = _ends(np.array([measure(truth[places], said[places]) for places in drawn]))
        found.append(Figure(name, measure(truth, said), low, high, len(truth)))
    return found


def _mse(truth: Array, said: Array) -> float:
    return float(np.mean((truth - said) ** 2))


def _mae(truth: Array, said: Array) -> float:
    return float(np.mean(np.abs(truth - said)))


def _r2(truth: Array, said: Array) -> float:
    spread = float(np.sum((truth - truth.mean()) ** 2))
    return 1 - float(np.sum((truth - said) ** 2)) / spread if spread > 0 else 0.0


def _ends(values: Array) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
