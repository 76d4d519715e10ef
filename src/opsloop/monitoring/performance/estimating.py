"""How well a model probably does on rows that have no labels yet.

Rows like one that was served are looked up among the labelled rows of the reference; how often the model was right
there, or how far off, is what is expected of it. The mean over the served rows, less the same mean over the reference
rows themselves (each looked up among the others), is how much harder the traffic is; that much is added to the figure
of validation. So the estimate sees traffic that moved to where the model is weak, the only thing that rows without
labels can tell; it does not see that the same rows have other labels than they had.

Sources: H. Shimodaira, Improving predictive inference under covariate shift, JSPI 90 (2000), 227-244; the neighbours:
T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning (2009), 13.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
NEIGHBOURS = 25
LEAST_REFERENCE = 100
LEAST_ROWS = 30
_MOST_REFERENCE, _MOST_ROWS = 1_000, 500
_Z = 1.959964


class NoEstimate(Exception):
    """Why there is none, as a clause."""


def estimated(
    reference: Sequence[Sequence[Any]],
    losses: Sequence[float],
    served: Sequence[Sequence[Any]],
    *,
    are_numbers: Sequence[bool],
    validated: float,
    higher_is_better: bool,
) -> tuple[float, float, float]:
    """The estimate and the ends of its 95 % interval, which is of the sampling alone.

    Args:
        reference, losses: labelled rows, and of each 0 (right) or 1 (wrong), or the squared error.
        served: rows without labels; a missing value is None.
        are_numbers: of each input; the others are compared as equal or not.
    Raises: NoEstimate.
    """
    if len(reference) < LEAST_REFERENCE or len(served) < LEAST_ROWS:
        raise NoEstimate(f"there are {len(served)} rows and {len(reference)} of the reference; too few to say")
    if float(np.ptp(losses)) == 0:
        raise NoEstimate("the model is never wrong on its reference, so where it is weak is not known")
    old, new = _thinned(reference, _MOST_REFERENCE), _thinned(served, _MOST_ROWS)
    loss = np.asarray(_thinned(losses, _MOST_REFERENCE), dtype=float)
    then, now = _table(old, are_numbers), _table(new, are_numbers)
    middle, spread = _scale(then, are_numbers)
    then, now = (_scaled(each, middle, spread, are_numbers) for each in (then, now))
    home = _expected(then, then, loss, are_numbers, is_same=True)
    away = _expected(then, now, loss, are_numbers, is_same=False)
    harder = float(away.mean() - home.mean())
    error = _Z * float(np.sqrt(away.var() / len(away) + home.var() / len(home)))
    sign = -1.0 if higher_is_better else 1.0
    middle_of = validated + sign * harder
    if higher_is_better:
        return _share(middle_of), _share(middle_of - error), _share(middle_of + error)
    return max(middle_of, 0.0), max(middle_of - error, 0.0), max(middle_of + error, 0.0)


def _thinned(rows: Sequence[Any], most: int) -> list[Any]:
    """Evenly spaced ones of many, the same each time."""
    if len(rows) <= most:
        return list(rows)
    return [rows[int(place)] for place in np.linspace(0, len(rows) - 1, most)]


def _table(rows: Sequence[Sequence[Any]], are_numbers: Sequence[bool]) -> list[Array]:
    """Columns: numbers with NaN where one is missing, the others as they are."""
    columns = []
    for place, is_number in enumerate(are_numbers):
        values = [row[place] for row in rows]
        if is_number:
            columns.append(np.array([np.nan if value is None else value for value in values], dtype=float))
        else:
            columns.append(np.array([str(value) for value in values], dtype=object))
    return columns


def _scale(columns: Sequence[Array], are_numbers: Sequence[bool]) -> tuple[list[float], list[float]]:
    middles, spreads = [], []
    for column, is_number in zip(columns, are_numbers, strict=True):
        known = column[np.isfinite(column)] if is_number else np.zeros(1)
        middles.append(float(np.mean(known)) if len(known) else 0.0)
        spreads.append(float(np.std(known)) if len(known) else 0.0)
    return middles, spreads


def _scaled(
    columns: Sequence[Array], middles: Sequence[float], spreads: Sequence[float], are_numbers: Sequence[bool]
) -> list[Array]:
    """Numbers in standard deviations of the reference; a missing one is in the middle, a constant one has no say."""
    found = []
    for column, middle, spread, is_number in zip(columns, middles, spreads, are_numbers, strict=True):
        if not is_number:
            found.append(column)
        else:
            value = (column - middle) / spread if spread > 0 else np.zeros(len(column))
            found.append(np.nan_to_num(np.clip(value, -10, 10), nan=0.0))
    return found


def _expected(
    then: Sequence[Array], rows: Sequence[Array], loss: Array, are_numbers: Sequence[bool], *, is_same: bool
) -> Array:
    """The mean loss of each row's neighbours in the reference; a row is not its own."""
    distance = np.zeros((len(rows[0]), len(then[0])))
    for old, new, is_number in zip(then, rows, are_numbers, strict=True):
        if is_number:
            distance += (new[:, None] - old[None, :]) ** 2
        else:
            distance += new[:, None] != old[None, :]
    if is_same:
        np.fill_diagonal(distance, np.inf)
    nearest = np.argpartition(distance, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    found: Array = loss[nearest].mean(axis=1)
    return found


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
