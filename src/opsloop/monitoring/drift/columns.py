"""A watched column: which bin of the reference a value falls into.

A number's bins are quantiles of the reference, finer in the tails; a value that many rows share has a bin of its own,
and what lies below, above or between all reference values falls into bins in which the reference has no row. A
category is a bin; so are an unseen and a missing value. Everything the test knows of a value is its bin, so that it
needs no assumption on the distribution, and what a row costs is a look-up.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_SHARES = (0.001, 0.0025, 0.005, 0.01, 0.025, *(n / 20 for n in range(1, 20)), 0.975, 0.99, 0.995, 0.9975, 0.999)
_FEW_VALUES = 24
_ATOM_SHARE = 0.025
MAX_CATEGORIES = 60
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_END = sys.float_info.max


@dataclass(frozen=True, eq=False)
class Column:
    """A column of the reference, binned.

    For a number, the bin of a finite x is `bisect_right(edges, x)` and that of NaN is `len(edges)`; for a category,
    the place of its label, then one bin for an unseen label and one for a missing one.
    """

    name: str
    edges: Floats
    labels: tuple[object, ...]
    """Categories in the order of their bins; empty for a number."""
    counts: Floats
    """Reference rows per bin."""
    scores: Floats
    """Normal score of each bin, with mean 0 and variance 1 over the reference; 0 for a missing value."""
    mean: float
    sd: float
    quantiles: tuple[float, ...] = ()
    """Of a number, at QUANTILES."""

    @property
    def is_category(self) -> bool:
        return bool(self.labels)

    @property
    def missing_bin(self) -> int:
        return len(self.counts) - 1

    def bins(self, values: Sequence[object] | Floats) -> Ints:
        """The bin of each value."""
        if self.is_category:
            places = {label: place for place, label in enumerate(self.labels)}
            return np.array([self._place(places, value) for value in values], dtype=np.int64)
        return np.searchsorted(self.edges, np.asarray(values, dtype=np.float64), side="right").astype(np.int64)

    def _place(self, places: dict[object, int], value: object) -> int:
        return len(self.labels) + 1 if is_missing(value) else places.get(value, len(self.labels))


def is_missing(value: object) -> bool:
    """None, or a number that is not one."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def numbers(values: Sequence[object]) -> Floats:
    """Numbers of a table of objects; None is missing."""
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def number_column(name: str, values: Floats) -> Column:
    """A column of numbers; NaN is missing, infinity counts as it."""
    finite = np.sort(values[np.isfinite(values)])
    edges = _edges(finite)
    places = np.searchsorted(edges, np.where(np.isfinite(values), values, np.nan), side="right")
    counts = np.bincount(places, minlength=len(edges) + 1).astype(np.float64)
    mean = float(finite.mean()) if len(finite) else 0.0
    sd = float(finite.std()) if len(finite) else 0.0
    quantiles = tuple(np.quantile(finite, QUANTILES).tolist()) if len(finite) else ()
    return Column(name, edges, (), counts, _scores(counts), mean, sd, quantiles)


def category_column(name: str, values: Sequence[object], labels: Sequence[object] = ()) -> Column:
    """A column of categories. `labels` are those it is declared to have; beyond them, and beyond the sixty most
    frequent, a value is unseen."""
    shown: dict[object, int] = {}
    for value in values:
        if not is_missing(value):
            shown[value] = shown.get(value, 0) + 1
    kept = list(labels) if labels else sorted(shown, key=lambda each: (-shown[each], str(each)))
    kept = sorted(kept, key=lambda each: -shown.get(each, 0))[:MAX_CATEGORIES] or [""]
    missing = sum(is_missing(value) for value in values)
    known = [float(shown.get(label, 0)) for label in kept]
    counts = np.array([*known, len(values) - missing - sum(known), missing], dtype=np.float64)
    return Column(name, np.zeros(0), tuple(kept), counts, np.zeros(len(counts)), 0.0, 0.0)


def _edges(finite: Floats) -> Floats:
    """Edges for `bisect_right`, the last one beyond every number, so that only NaN passes it."""
    if not len(finite):
        return np.array([_END])
    distinct, counts = np.unique(finite, return_counts=True)
    atoms = distinct if len(distinct) <= _FEW_VALUES else distinct[counts >= _ATOM_SHARE * len(finite)]
    ends = np.array([distinct[0], np.nextafter(distinct[-1], np.inf)])
    own = np.concatenate([atoms, np.nextafter(atoms, np.inf), ends])
    if len(distinct) > _FEW_VALUES:
        own = np.concatenate([own, np.quantile(finite, _SHARES, method="inverted_cdf")])
    return np.append(np.unique(own[own < _END]), _END)


def _scores(counts: Floats) -> Floats:
    """Mean rank of each bin as a normal quantile; an empty bin counts as a quarter of a row."""
    present = np.maximum(counts[:-1], 0.25)
    upto = np.cumsum(present)
    shares = (upto - present / 2) / upto[-1]
    quantile = NormalDist().inv_cdf
    scores = np.array([quantile(float(share)) for share in shares])
    weights = counts[:-1] / max(counts[:-1].sum(), 1.0)
    scores -= weights @ scores
    spread = math.sqrt(float(weights @ scores**2))
    return np.append(scores / spread if spread > 1e-9 else scores, 0.0)
