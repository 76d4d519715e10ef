"""Features that say what the target says: almost always something that is not known when a prediction is wanted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from opsloop.training.table import Array, ColumnData

_SAME = 1 - 1e-9
_LOOKED_AT = 5_000


def leak_notes(columns: Sequence[ColumnData], y: Array) -> list[str]:
    """A sentence for each feature from which the target follows, one value from one value."""
    wanted = "is it known when a prediction is wanted? Leave it out of features if not"
    return [f"{each.name} says the same as the target: {wanted}" for each in columns if _tells(each, y)]


def _tells(column: ColumnData, y: Array) -> bool:
    if column.missing.any():
        return False
    if y.dtype.kind == "f":
        return _is_linear(column.values, y)
    classes = len(np.unique(y))
    if len(set(column.values[:_LOOKED_AT].tolist())) > classes:
        return False
    pairs = set(zip(column.values.tolist(), y.tolist(), strict=True))
    return len(pairs) == classes == len({value for value, _ in pairs})


def _is_linear(values: Array, y: Array) -> bool:
    if values.dtype.kind != "f" or values.min() == values.max():
        return False
    left, right = values - values.mean(), y - y.mean()
    scale = float(np.sqrt((left @ left) * (right @ right)))
    return scale > 0 and abs(float(left @ right)) / scale > _SAME
