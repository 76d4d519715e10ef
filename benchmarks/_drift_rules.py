"""Customary drift rules, for `drift_quality.py`: each gives every batch (or row) a figure, and alarms above a limit."""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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

    def at(self, limit: float) -> list[int]:
        """The rows with a figure above the limit."""
        found: list[int] = np.sort(self.rows[self._is_over(limit)]).tolist()
        return found

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


def limits_of(
    python: Path, of_batches: Sequence[dict[str, Scored]], scaled: Sequence[Table], rows: int, every: float
) -> dict[str, float | None]:
    """The limits at which rules alarm at most once in `every` rows of streams without change; None where none does."""
    allowed = int(rows / every)
    found: dict[str, float | None] = {}
    for rule in RULES:
        if rule in (ADWIN, PAGE_HINKLEY):
            grid = [-delta for delta in DELTAS] if rule is ADWIN else list(THRESHOLDS)
            counts = (
                sum(each[rule.name].alarms(limit) for each in of_river(python, scaled, {rule.name: [limit]}))
                for limit in grid
            )
            found[rule.name] = next(
                (limit for limit, count in zip(grid, counts, strict=False) if count <= allowed), None
            )
        else:
            figures = np.sort(np.concatenate([each[rule.name].figures for each in of_batches]))
            found[rule.name] = float(figures[-1 - allowed])
    return found


def most_by_chance(expected: float) -> int:
    """What a Poisson count of this mean passes once in 1,000 tables."""
    total, count, term = 0.0, 0, math.exp(-expected)
    while total + term < 0.999:
        total, count = total + term, count + 1
        term *= expected / count
    return count


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
        p = self._p_values(parts).min(axis=1)
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

    def _p_values(self, parts: Sequence[Table]) -> Table:
        """(parts, columns): two-sample Kolmogorov-Smirnov by the distribution for the harmonic sample size."""
        rows, own_rows = len(self._sorted), len(parts[0])
        distances = np.array([[self._distance(part, place) for place in range(part.shape[1])] for part in parts])
        found: Table = kstwo.sf(distances, round(rows * own_rows / (rows + own_rows)))
        return found

    def _distance(self, part: Table, place: int) -> float:
        values, known = np.sort(part[:, place]), self._sorted[:, place]
        upto = np.searchsorted(known, values, side="right") / len(known)
        below = np.searchsorted(known, values, side="left") / len(known)
        own = np.searchsorted(values, values, side="right") / len(values)
        own_below = np.searchsorted(values, values, side="left") / len(values)
        return max(float(np.abs(own - upto).max()), float(np.abs(below - own_below).max()))

    def _psi(self, part: Table) -> list[float]:
        found = []
        for column, edges, expected in zip(part.T, self._edges, self._expected, strict=True):
            shares = self._shares(column, edges)
            found.append(float(((shares - expected) * np.log(shares / expected)).sum()))
        return found


def _parts(X: Table, size: int) -> list[Table]:
    return [X[start : start + size] for start in range(0, len(X) - size + 1, size)]


def of_river(
    python: Path, streams: Sequence[Table], limits: Mapping[str, Sequence[float]], *, enough: int | None = None
) -> list[dict[str, Scored]]:
    """ADWIN and Page-Hinkley on standardised streams, in river's own environment, by two processes.

    Args:
        limits: by rule, those to try.
        enough: stop after the first alarm beyond this row.
    """
    half = (len(streams) + 1) // 2
    with ThreadPoolExecutor(2) as threads:
        parts = threads.map(lambda part: _run_river(python, part, limits, enough), (streams[:half], streams[half:]))
        return [each for part in parts for each in part]


def _run_river(
    python: Path, streams: Sequence[Table], limits: Mapping[str, Sequence[float]], enough: int | None
) -> list[dict[str, Scored]]:
    wanted = {name: list(limits.get(name, ())) for name in (ADWIN.name, PAGE_HINKLEY.name)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "streams.npz"
        np.savez(path, *streams)
        listed = [",".join(str(abs(limit)) for limit in each) for each in wanted.values()]
        command = [str(python), str(_RIVER), str(path), "all" if enough is None else str(enough), *listed]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [
        {
            name: _grid(wanted[name], each[key])
            for name, key in ((ADWIN.name, "adwin"), (PAGE_HINKLEY.name, "page_hinkley"))
        }
        for each in json.loads(done.stdout)
    ]


def _grid(limits: Sequence[float], alarms: Sequence[Sequence[int]]) -> Scored:
    pairs = [(limit, row) for limit, rows in zip(limits, alarms, strict=True) for row in rows]
    return Scored(np.array([limit for limit, _ in pairs]), np.array([row for _, row in pairs]), is_grid=True)
