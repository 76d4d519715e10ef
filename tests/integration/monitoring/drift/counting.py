"""A method that a test can do in its head: a row above 1 in its first column is one piece of evidence, an alarm needs
`needed` of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from opsloop.monitoring.alarms.models import Evidence


@dataclass
class Read:
    detected: bool
    score: float
    is_new: bool


@dataclass
class Counting:
    needed: int
    counted: int = 0
    rows: int = 0

    def update(self, X: Any, predictions: Any, at_s: float) -> Read:
        before = self.counted >= self.needed
        self.counted += int(np.sum(np.asarray(X)[:, 0] > 1))
        self.rows += len(X)
        after = self.counted >= self.needed
        return Read(after, self.counted / self.needed, after and not before)

    def checkpoint(self) -> bytes:
        return json.dumps([self.needed, self.counted, self.rows]).encode()


class CountingMethod:
    is_lasting = True

    def __init__(self, needed: int = 5, baseline: str | None = None) -> None:
        self.needed = needed
        self.about: Mapping[str, Any] = {"method": "counting", "baseline": baseline}

    def new(self) -> Counting:
        return Counting(self.needed)

    def restored(self, state: bytes) -> Counting:
        needed, counted, rows = json.loads(state)
        if needed != self.needed:
            raise ValueError("of another reference")
        return Counting(needed, counted, rows)

    def together(self, states: Sequence[bytes]) -> Counting:
        found = [self.restored(state) for state in states]
        return Counting(self.needed, sum(each.counted for each in found), sum(each.rows for each in found))

    def is_alarmed(self, detector: Any) -> bool:
        return bool(detector.counted >= self.needed)

    def score(self, detector: Any) -> float:
        return float(detector.counted / self.needed)

    def figures(self, detector: Any) -> dict[str, float]:
        return {"length": self.score(detector)}

    def evidence(self, detector: Any) -> Evidence:
        return Evidence("length", "length is larger", self.score(detector), since_row=detector.rows)
