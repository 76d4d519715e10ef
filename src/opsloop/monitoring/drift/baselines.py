"""Rows that were accepted as normal, as an artifact: JSON, since columns may be text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import numpy as np

PREFIX = "drift/baselines"


def encoded(inputs: Sequence[Sequence[Any]], predictions: Sequence[Any]) -> bytes:
    return msgspec.json.encode({"inputs": inputs, "predictions": predictions})


def decoded(data: bytes, *, is_numeric: bool) -> tuple[np.ndarray[Any, Any], list[Any]]:
    """Rows as a model takes them, and what it said of them."""
    found = msgspec.json.decode(data)
    return matrix(found["inputs"], is_numeric=is_numeric), found["predictions"]


def matrix(rows: Sequence[Sequence[Any]], *, is_numeric: bool) -> np.ndarray[Any, Any]:
    """Stored rows as X: a missing number is NaN; with text among the inputs the matrix holds objects."""
    import numpy as np  # comes with the extra that models need

    if is_numeric:
        return np.array([[np.nan if value is None else value for value in row] for row in rows], dtype=np.float64)
    X = np.empty((len(rows), len(rows[0]) if rows else 0), dtype=object)
    for place, row in enumerate(rows):
        X[place] = row
    return X
