"""What the hot path costs, for `drift_quality.py`: the detector, and the watch of a release around it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from _drift_streams import Source
from opsloop.core.clock import SystemClock
from opsloop.core.ids import RandomIds
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.monitoring.drift.detector import Detector
from opsloop.monitoring.drift.fitted import Sequential
from opsloop.monitoring.drift.fitting import fit
from opsloop.monitoring.drift.reference import Reference
from opsloop.monitoring.drift.watch import Watch, Watched

Table = np.ndarray[Any, Any]
Reads = Callable[[Table, Sequence[Any], float], object]
COST_US = 10.0
"""The goal, for a row of four features."""
_TIMES = 15


def costs(sources: Sequence[Source], rows: int, rng: np.random.Generator) -> dict[str, float]:
    """CPU microseconds per row, the median of many. Through the watch the prediction is watched too."""
    found = {}
    for source in sources:
        if source.name not in ("4 normal", "30 columns"):
            continue
        baseline, X = source.draw(rows, rng), source.draw(2000, rng)
        reference = fit(baseline, None, source.columns)
        for size in (1, 100):
            parts = [X[start : start + size] for start in range(0, len(X), size)]
            times = [_us(Detector(reference).update, parts, len(X)) for _ in range(_TIMES)]
            found[f"{source.name}, {size} a request"] = median(times)
        if source.name == "4 normal":
            said = (baseline[:, 0] > 0).astype(int)
            found[f"{source.name}, 1 a request, through the watch"] = _watched(fit(baseline, said, source.columns), X)
    return found


def _watched(reference: Reference, X: Table) -> float:
    parts = [X[place : place + 1] for place in range(len(X))]
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(CoreSettings(data_dir=Path(folder)), clock=SystemClock(), ids=RandomIds())
        times = [_us(_watch(workspace, reference, n).observe, parts, len(X)) for n in range(_TIMES)]
        workspace.close()
    return median(times)


def _watch(workspace: Workspace, reference: Reference, number: int) -> Watch:
    watched = Watched("rows", f"rel_{number}", "rows@1", "digest")
    return Watch(workspace, watched, lambda baseline: Sequential(reference))


def _us(read: Reads, parts: Sequence[Table], rows: int) -> float:
    said = [(part[:, 0] > 0).astype(int).tolist() if part.dtype != object else () for part in parts]
    started = time.process_time()
    for part, predictions in zip(parts, said, strict=True):
        read(part, predictions, 0.0)
    return (time.process_time() - started) / rows * 1e6
