"""The few figures of a model that comes from elsewhere, on the rows that came with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsloop.models.signature import Signature, Task


def measured(y: NDArray[Any], said: Sequence[Any], signature: Signature) -> dict[str, float]:
    """Args:
    y: what is right, (rows,). said: the predictions.
    Returns: `accuracy`, or `mse`, `rmse`, `mae` and, where y varies, `r2`; nothing without rows.
    """
    if not len(y):
        return {}
    if signature.output.task is Task.CLASSIFICATION:
        return {"accuracy": float(np.mean([str(a) == str(b) for a, b in zip(y.tolist(), said, strict=True)]))}
    truth = y.astype(np.float64)
    errors = np.asarray(said, dtype=np.float64) - truth
    mse = float(np.mean(errors**2))
    figures = {"mse": mse, "rmse": mse**0.5, "mae": float(np.mean(np.abs(errors)))}
    variance = float(np.var(truth))
    return {**figures, "r2": 1 - mse / variance} if variance > 0 else figures
