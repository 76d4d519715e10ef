"""Checking the rows of a metric before anything is computed from them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opsloop.core.errors import InvalidInput

Floats = NDArray[np.float64]
Value = float | None

LARGEST = 1e100
"""Beyond this a square no longer fits into a float; no metric is as large."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one metric that were measured, shape (n,) each; `clusters` numbers the cluster of each row from 0."""

    candidate: Floats
    baseline: Floats | None
    clusters: NDArray[np.int64] | None


def checked(
    metric: str,
    candidate: Sequence[Value],
    baseline: Sequence[Value] | None = None,
    clusters: Sequence[Hashable] | None = None,
) -> Rows:
    """The rows as arrays; rows that hold None on either side were not measured and are left out.

    Raises: InvalidInput naming the metric when a value is not a finite number or the lengths differ.
    """
    for name, other in (("baseline", baseline), ("clusters", clusters)):
        if other is not None and len(other) != len(candidate):
            raise InvalidInput(
                field=f"metric {metric}, rows of {name}",
                value=len(other),
                wanted=f"{len(candidate)}, as the candidate has",
            )
    wide = _floats(metric, "candidate", candidate)
    measured = ~np.isnan(wide)
    beside = None
    if baseline is not None:
        beside = _floats(metric, "baseline", baseline)
        measured &= ~np.isnan(beside)
        beside = beside[measured]
    return Rows(wide[measured], beside, _numbered(clusters, measured))


def _floats(metric: str, side: str, values: Sequence[Value]) -> Floats:
    floats = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    missing = np.array([value is None for value in values], dtype=np.bool_)
    wrong = np.flatnonzero(~(np.abs(floats) <= LARGEST) & ~missing)
    if wrong.size:
        row = int(wrong[0])
        where = f"metric {metric}, {side} row {row}"
        raise InvalidInput(field=where, value=values[row], wanted="a finite number, below 1e100")
    return floats


def _numbered(clusters: Sequence[Hashable] | None, measured: NDArray[np.bool_]) -> NDArray[np.int64] | None:
    """Cluster numbers of the measured rows; None where no two of them share a cluster."""
    if clusters is None:
        return None
    kept = [cluster for cluster, is_measured in zip(clusters, measured.tolist(), strict=True) if is_measured]
    number = {cluster: index for index, cluster in enumerate(dict.fromkeys(kept))}
    if len(number) == len(kept):
        return None
    return np.array([number[cluster] for cluster in kept], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Span:
    """Where the values of a metric lie, in its unit; not `is_known` when that is a guess from those seen."""

    low: float
    high: float
    is_known: bool = True


def span_of(*values: Floats) -> Span:
    """The span of a metric: 0 to 1 for scores, else, as a guess, twice as far from 0 as the farthest value seen."""
    lowest = min(float(some.min()) for some in values)
    highest = max(float(some.max()) for some in values)
    if lowest >= 0.0 and highest <= 1.0:
        return Span(0.0, 1.0)
    far = 2.0 * max(-lowest, highest)
    return Span(0.0 if lowest >= 0.0 else -far, far, is_known=False)


def is_binary(values: Floats) -> bool:
    """Whether all values are 0 or 1."""
    return bool(np.isin(values, (0.0, 1.0)).all())
