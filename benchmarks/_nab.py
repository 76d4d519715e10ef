"""The score of the Numenta Anomaly Benchmark (NAB), standard profile, written from its description.

A detection inside a window of an anomaly earns the more the earlier it comes, once for each window; one outside costs
0.11, less close behind a window; a window that was missed costs 1. The sum is put on a scale on which a detector that
finds nothing has 0 and one that finds all at once has 100.

Source: A. Lavin and S. Ahmad, Evaluating Real-time Anomaly Detection Algorithms, ICMLA 2015, section II; weights of the
standard profile and the length of the probation from the benchmark, version 1.1.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

FALSE_POSITIVE = 0.11
PROBATION = 0.15
LONGEST = 5_000


@dataclass(frozen=True, slots=True)
class Labelled:
    """A series. Args: windows: first and last index of each anomaly's window, ascending."""

    name: str
    values: tuple[float, ...]
    windows: tuple[tuple[int, int], ...]

    @property
    def group(self) -> str:
        return self.name.split("/")[0]


def load(folder: Path) -> list[Labelled]:
    """Args: folder: with `combined_windows.json` and the series it names, gzipped."""
    windows = json.loads((folder / "combined_windows.json").read_text())
    return [_series(folder, name, found) for name, found in sorted(windows.items())]


def _series(folder: Path, name: str, windows: list[list[str]]) -> Labelled:
    with gzip.open(folder / f"{name}.gz", "rt") as file:
        rows = [line.strip().split(",") for line in file][1:]
    at: dict[datetime, int] = {}
    for number, row in enumerate(rows):
        at.setdefault(datetime.fromisoformat(row[0]), number)
    spans = tuple((at[datetime.fromisoformat(begin)], at[datetime.fromisoformat(end)]) for begin, end in windows)
    return Labelled(name, tuple(float(row[1]) for row in rows), spans)


def probation(length: int) -> float:
    """Points at the begin that are not scored."""
    return min(math.floor(PROBATION * length), PROBATION * LONGEST)


def sigmoid(place: float) -> float:
    """Worth of a detection: place -1 is the begin of a window, 0 its end, 1 a whole window later."""
    return -1.0 if place >= 3.0 else 2 / (1 + math.exp(5 * place)) - 1.0


def raw(length: int, windows: Iterable[tuple[int, int]], detections: Iterable[int]) -> float:
    """Score of one series before it is put on the scale."""
    begin = probation(length)
    counted = [window for window in windows if window[1] >= begin]
    best = dict.fromkeys(counted, -1.0)
    wrong = 0.0
    for at in detections:
        if at < begin:
            continue
        inside = next((window for window in counted if window[0] <= at <= window[1]), None)
        if inside is not None:
            width = inside[1] - inside[0] + 1
            best[inside] = max(best[inside], sigmoid(-(inside[1] - at + 1) / width) / sigmoid(-1.0))
            continue
        before = [window for window in windows if window[1] < at]
        place = (at - before[-1][1]) / (before[-1][1] - before[-1][0]) if before else 3.0
        wrong += FALSE_POSITIVE * sigmoid(place)
    return wrong + sum(best.values())


def scaled(series: Iterable[Labelled], scores: Mapping[str, float]) -> float:
    """0: what a detector gets that finds nothing; 100: one that finds every window at its begin, and nothing else."""
    kept = [each for each in series if each.name in scores]
    windows = sum(sum(window[1] >= probation(len(each.values)) for window in each.windows) for each in kept)
    return 100 * (sum(scores[each.name] for each in kept) + windows) / (2 * windows)
