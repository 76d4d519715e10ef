"""Rows for these tests: four columns, the first two of which go together, and what a model says of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from opsloop.monitoring.drift.fitting import fit
from opsloop.monitoring.drift.options import DriftOptions
from opsloop.monitoring.drift.reference import Reference

NAMES = ("length", "width", "weight", "age")
_CORRELATIONS = np.array([[1, 0.8, 0.3, 0], [0.8, 1, 0.2, 0], [0.3, 0.2, 1, 0.1], [0, 0, 0.1, 1]])
_ROOT = np.linalg.cholesky(_CORRELATIONS)
Table = np.ndarray[Any, Any]


def rows(count: int, seed: int) -> Table:
    """Rows without change: normal, with mean 10 and standard deviation 2."""
    return 10.0 + 2.0 * np.random.default_rng(seed).standard_normal((count, 4)) @ _ROOT.T


def said(X: Table) -> list[int]:
    """A class for each row."""
    return [int(total > 40.0) for total in np.nan_to_num(X).sum(axis=1)]


def reference(count: int = 4000, seed: int = 1, **options: Any) -> Reference:
    X = rows(count, seed)
    return fit(X, said(X), NAMES, DriftOptions(**{"false_alarms_every": 200_000.0, **options}))
