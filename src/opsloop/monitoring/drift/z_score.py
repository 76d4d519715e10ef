"""The mean of one request's rows against the baseline, in standard deviations of the baseline.

No rate of false alarms follows from it, and one odd row alone can pass the limit; the sequential test is the default.
A request is drifted when any input's |mean - baseline mean| / baseline standard deviation is above the limit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from opsloop.monitoring.drift._packing import packed, unpacked
from opsloop.monitoring.drift.columns import numbers
from opsloop.monitoring.drift.detector import Reading
from opsloop.monitoring.drift.reference import PREDICTION, Reference

MAX_SCORE = 1e9
"""What a value that differs from a constant column scores."""


class ZScore:
    """Reads requests by the rule `z_score`; only the last request's figures are kept."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.rows = 0
        self.score = 0.0
        self.largest: dict[str, float] = {}
        """|z| of each input in the last request."""
        self.means: dict[str, float] = {}
        pairs = [
            (place, column)
            for place, column in zip(reference.places, reference.raw, strict=True)
            if place >= 0 and not column.is_category
        ]
        self._places = [place for place, _ in pairs]
        self._names = [column.name for _, column in pairs]
        self._means = np.array([column.mean for _, column in pairs])
        self._sds = np.array([column.sd for _, column in pairs])
        self._limit = reference.options.z_limit

    def update(self, X: np.ndarray[Any, Any], predictions: Any, at_s: float) -> Reading:
        """What this request says, whatever came before."""
        self.rows += len(X)
        if not len(X) or not self._places:
            return Reading(False, 0.0)
        means = self._mean(X)
        distances = np.abs(means - self._means)
        z = np.divide(distances, self._sds, out=np.where(distances > 0, MAX_SCORE, 0.0), where=self._sds > 0)
        z = np.where(np.isnan(z), 0.0, np.minimum(z, MAX_SCORE))
        self.score = float(z.max())
        self.largest = dict(zip(self._names, z.tolist(), strict=True))
        self.means = dict(zip(self._names, means.tolist(), strict=True))
        detected = self.score > self._limit
        return Reading(detected, self.score, detected)

    def _mean(self, X: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Of each input, over the values that are there; NaN when none is."""
        if X.dtype == object:
            table = np.column_stack([numbers(X[:, place].tolist()) for place in self._places])
        else:
            table = X[:, self._places]
        there = np.isfinite(table)
        sums, counts = np.where(there, table, 0.0).sum(axis=0), there.sum(axis=0)
        means: np.ndarray[Any, Any] = np.full(len(self._places), np.nan)
        np.divide(sums, counts, out=means, where=counts > 0)
        return means

    @property
    def sentence(self) -> str:
        """What the last request showed."""
        name = max(self.largest, key=self.largest.__getitem__, default=PREDICTION)
        place = self._names.index(name) if name in self._names else 0
        return (
            f"the mean of {name} in one request is {self.means.get(name, 0.0):.4g}, {self.score:.1f} baseline standard "
            f"deviations from the baseline's {self._means[place]:.4g}; the limit is {self._limit:g}"
        )

    def checkpoint(self) -> bytes:
        return packed("z-score", {"reference": self.reference.digest, "rows": self.rows}, {})

    @classmethod
    def restored(cls, reference: Reference, state: bytes) -> ZScore:
        """Raises: ValueError when the state is of another reference or version."""
        facts, _ = unpacked("z-score", state)
        if facts["reference"] != reference.digest:
            raise ValueError("this state is of another reference; begin a new detector")
        detector = cls(reference)
        detector.rows = facts["rows"]
        return detector
