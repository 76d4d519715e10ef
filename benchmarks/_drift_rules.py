"""Customary drift rules, for `drift_quality.py`: each gives every batch (or row) a figure, and alarms above a limit."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import kstwo

Table = np.ndarray[Any, Any]
BATCH = 100
_RIVER = Path(__file__).with_name("_drift_river.py")


@dataclass(frozen=True)
class Scored:
    """Figures of a stream, and the row (from 1) at which each was known.

    Args:
        is_grid: a figure is a limit that was tried, once for each of its alarms; else it is of a batch.
    """

    figures: Table
    rows: Table
    is_grid: bool = False

    def alarm(self, limit: float, after: int = 0) -> int | None:
        """The first row after `after` with a figure above the limit."""
        over = np.flatnonzero(self._is_over(limit) & (self.rows > after))
        return int(self.rows[over].min()) if len(over) else None

    def alarms(self, limit: float) -> int:
        return int(self._is_over(limit).sum())

    def _is_over(self, limit: float) -> Table:
        over: Table = self.figures == limit if self.is_grid else self.figures > limit
        return over


@dataclass(frozen=True)
class Rule:
    """A rule and the limits that people use."""

    name: str
    limit: float


Z5, KS, KS_BONFERRONI = Rule("z-score > 5", 5.0), Rule("KS p < .05", -0.05), Rule("KS Bonferroni", -0.05)
PSI1, PSI2, CHUNK = Rule("PSI > 0.1", 0.1), Rule("PSI > 0.2", 0.2), Rule("chunks 3 sd", 3.0)
ADWIN, PAGE_HINKLEY = Rule("ADWIN", -0.002), Rule("Page-Hinkley", 50.0)
RULES = (Z5, KS, KS_BONFERRONI, PSI1, PSI2, CHUNK, ADWIN, PAGE_HINKLEY)
DELTAS = (2e-3, 1e-5, 1e-8, 1e-12)
THRESHOLDS = (50.0, 100.0, 200.0, 400.0)
"""Tried to find what has the wanted rate, from quick to slow. ADWIN's limit is minus its delta."""


def limit_of(rule: Rule, held_out: Sequence[Scored], rows: int, every: float) -> float | None:
    """The limit at which a rule alarms at most once in `every` rows of held-out streams without change."""
    allowed = int(rows / every)
    if held_out[0].is_grid:
        grid = [-delta for delta in DELTAS] if rule is ADWIN else list(THRESHOLDS)
        return next((limit for limit in grid if sum(each.alarms(limit) for each in held_out) <= allowed), None)
    figures = np.sort(np.concatenate([each.figures for each in held_out]))
    return float(figures[-1 - allowed])


class Batches:
    """The rules on batches, against one reference of numbers."""

    def __init__(self, reference: Table) -> None:
        self._sorted = np.sort(reference, axis=0)
        self._mean, self._sd = reference.mean(axis=0), np.maximum(reference.std(axis=0), 1e-9)
        shares = np.arange(1, 10) / 10
        self._edges = [np.unique(np.quantile(column, shares)) for column in reference.T]
        self._expected = [self._shares(column, edges) for column, edges in zip(reference.T, self._edges, strict=True)]
        whole = len(reference) // BATCH * BATCH
        chunks = reference[:whole].reshape(-1, BATCH, reference.shape[1])
        self._chunk_mean, self._chunk_sd = chunks.mean(1).mean(0), np.maximum(chunks.mean(1).std(0), 1e-9)

    @staticmethod
    def _shares(values: Table, edges: Table) -> Table:
        counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
        return np.maximum(counts / len(values), 1e-4)

    def scored(self, X: Table) -> dict[str, Scored]:
        """The figures of each rule over a stream; of KS the minus of the smallest p-value."""
        z = [float((np.abs(part.mean(0) - self._mean) / self._sd).max()) for part in _parts(X, 32)]
        parts = _parts(X, BATCH)
        p = np.array([self._p_values(part) for part in parts]).min(axis=1)
        psi = [max(self._psi(part)) for part in parts]
        chunk = [float((np.abs(part.mean(0) - self._chunk_mean) / self._chunk_sd).max()) for part in parts]
        ends, small = np.arange(1, len(parts) + 1) * BATCH, np.arange(1, len(z) + 1) * 32
        return {
            Z5.name: Scored(np.array(z), small),
            KS.name: Scored(-p, ends),
            KS_BONFERRONI.name: Scored(-p * X.shape[1], ends),
            PSI1.name: Scored(np.array(psi), ends),
            PSI2.name: Scored(np.array(psi), ends),
            CHUNK.name: Scored(np.array(chunk), ends),
        }

    def _p_values(self, part: Table) -> list[float]:
        """Two-sample Kolmogorov-Smirnov by the asymptotic distribution with the harmonic sample size."""
        rows = len(self._sorted)
        found = []
        for place in range(part.shape[1]):
            values, known = np.sort(part[:, place]), self._sorted[:, place]
            upto = np.searchsorted(known, values, side="right") / rows
            below = np.searchsorted(known, values, side="left") / rows
            own = np.searchsorted(values, values, side="right") / len(values)
            own_below = np.searchsorted(values, values, side="left") / len(values)
            found.append(max(np.abs(own - upto).max(), np.abs(below - own_below).max()))
        size = round(rows * len(part) / (rows + len(part)))
        return [float(each) for each in kstwo.sf(found, size)]

    def _psi(self, part: Table) -> list[float]:
        found = []
        for column, edges, expected in zip(part.T, self._edges, self._expected, strict=True):
            shares = self._shares(column, edges)
            found.append(float(((shares - expected) * np.log(shares / expected)).sum()))
        return found


def _parts(X: Table, size: int) -> list[Table]:
    return [X[start : start + size] for start in range(0, len(X) - size + 1, size)]


def of_river(
    python: Path,
    streams: Sequence[Table],
    *,
    enough: int | None = None,
    limits: dict[str, Sequence[float]] | None = None,
) -> list[dict[str, Scored]]:
    """ADWIN and Page-Hinkley on standardised streams, in river's own environment.

    Args:
        enough: stop after the first alarm beyond this row.
        limits: by rule, those to try.
    """
    wanted = limits or {ADWIN.name: [-delta for delta in DELTAS], PAGE_HINKLEY.name: list(THRESHOLDS)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "streams.npz"
        np.savez(path, *streams)
        listed = [",".join(str(abs(limit)) for limit in wanted[name]) for name in (ADWIN.name, PAGE_HINKLEY.name)]
        command = [str(python), str(_RIVER), str(path), "all" if enough is None else str(enough), *listed]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [
        {
            ADWIN.name: _grid(wanted[ADWIN.name], each["adwin"]),
            PAGE_HINKLEY.name: _grid(wanted[PAGE_HINKLEY.name], each["page_hinkley"]),
        }
        for each in json.loads(done.stdout)
    ]


def _grid(limits: Sequence[float], alarms: Sequence[Sequence[int]]) -> Scored:
    pairs = [(limit, row) for limit, rows in zip(limits, alarms, strict=True) for row in rows]
    return Scored(np.array([limit for limit, _ in pairs]), np.array([row for _, row in pairs]), is_grid=True)
