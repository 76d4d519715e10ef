"""Reference rows, which are kept as numbers, as the rows that a model takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsloop.models.signature import FieldType, Signature


def as_given(rows: NDArray[Any], signature: Signature, codes: Mapping[str, Sequence[str]]) -> NDArray[Any]:
    """Args:
    rows: (rows, inputs) numbers, those of text as places in `codes`; NaN or a place that is not there is None.
    Returns: X as `LoadedModel.predict` takes it.
    """
    if signature.is_numeric:
        return rows.astype(np.float64)
    found = np.empty(rows.shape, dtype=object)
    for at, field in enumerate(signature.inputs):
        values = rows[:, at].tolist()
        if field.type is FieldType.TEXT:
            known = codes.get(field.name, ())
            found[:, at] = [known[int(value)] if 0 <= value < len(known) else None for value in values]
        else:
            found[:, at] = values
    return found
