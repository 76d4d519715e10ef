"""Reads every request, and alarms when the evidence that something has changed reaches the threshold."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from opsloop.monitoring.drift._packing import packed, unpacked
from opsloop.monitoring.drift.blocks import Aggregate
from opsloop.monitoring.drift.columns import Floats, Ints
from opsloop.monitoring.drift.lookup import Lookup
from opsloop.monitoring.drift.reference import YEAR_S, Reference
from opsloop.monitoring.drift.sums import CHUNK, Sums

KEPT_ROWS = 4096
"""Latest rows that are kept to say what an alarm saw."""
_STORED_ROWS = 512
_LARGEST = 20_000
_FEW_ROWS = 8


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What a detector says after a request.

    `score` is 1 at an alarm: of the sequential test, log evidence over log threshold; of z_score, the largest |z|.
    """

    detected: bool
    score: float
    is_new: bool = False


class Detector:
    """One per process, endpoint and release; not thread-safe."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.rows = 0
        """Rows seen so far."""
        self.alarmed_at: int | None = None
        """The number of the row, from 1, that raised the alarm."""
        self.score = 0.0
        """Log evidence over log threshold; at least 1 from an alarm on."""
        self.kept: deque[list[Any]] = deque(maxlen=KEPT_ROWS)
        """The latest rows, or blocks, as values of `reference.columns`."""
        self.sums = Sums(reference)
        self.starts: deque[int] = deque(maxlen=KEPT_ROWS)
        """Of blocks: the number of their first row."""
        self._next_start = 1
        self._aggregate = Aggregate(reference.raw, reference.block) if reference.block.is_aggregate else None
        self._last_s: float | None = None
        self._lookup = Lookup(reference)
        self._readers, self._columns, self._says = self._lookup.readers, self._lookup.columns, self._lookup.says
        self._by_time = reference.options.false_alarms_per_year is not None
        self._averages = reference.block.unit == "request"
        self._threshold = reference.threshold
        self._log_span = max(math.log(reference.threshold / reference.unit_mass), 1.0)

    @property
    def evidence(self) -> Floats:
        """Of each bet."""
        return self.sums.values

    def update(self, X: np.ndarray[Any, Any], predictions: Any, at_s: float) -> Reading:
        """Read the rows of a request, in their order.

        Args:
            X: (rows, inputs) as the model takes them.
            predictions: one per row.
            at_s: when they came, in seconds; only differences matter.
        """
        count = len(X)
        if self.alarmed_at is not None or not count:
            self.rows += count
            return Reading(self.alarmed_at is not None, self.score)
        if count > _LARGEST:
            return self._in_parts(X, predictions, at_s)
        if self._aggregate is not None:
            return self._blocks(self._aggregate, X, predictions, at_s)
        if count == 1:
            return self._one(X, predictions, at_s)
        if count <= _FEW_ROWS and not self._averages:
            return self._few(X, predictions, at_s)
        return self._many(X, predictions, at_s)

    def _in_parts(self, X: np.ndarray[Any, Any], predictions: Any, at_s: float) -> Reading:
        """A huge request, so that what is looked up fits into memory."""
        is_new = False
        for start in range(0, len(X), _LARGEST):
            reading = self.update(X[start : start + _LARGEST], predictions[start : start + _LARGEST], at_s)
            is_new = is_new or reading.is_new
        return Reading(reading.detected, reading.score, is_new)

    def _one(self, X: np.ndarray[Any, Any], predictions: Any, at_s: float) -> Reading:
        values = X.tolist()[0]
        if len(self._columns) != len(values):
            values = [values[place] for place in self._columns]
        if self._says:
            values.append(predictions[0])
        self.rows += 1
        return self._row(values, self._mass(1, at_s))

    def _few(self, X: np.ndarray[Any, Any], predictions: Any, at_s: float) -> Reading:
        """Row by row: for a few rows arrays take longer to begin than this takes to end."""
        mass, left = self._mass(len(X), at_s), len(X)
        for values in self._lookup.rows(X, predictions, left):
            self.rows += 1
            left -= 1
            reading = self._row(values, mass)
            if reading.is_new:
                break
        self.rows += left
        return reading

    def _row(self, values: list[Any], mass: float) -> Reading:
        """The recursion for one row, or block, of values of `reference.columns`."""
        tokens = []
        try:
            for (edges, codes, base, other), value in zip(self._readers, values, strict=True):
                tokens.append(base + bisect_right(edges, value) if codes is None else codes.get(value, other))
        except TypeError:  # a missing number among objects
            return self._row([math.nan if value is None else value for value in values], mass)
        self.kept.append(values)
        sums = self.sums
        total = sums.row(tokens, mass)
        if total >= self._threshold:
            return self._alarm(total, self.rows)
        sums.pending.append(tokens)
        sums.learn()
        return self._quiet(total)

    def _alarm(self, total: float, row: int) -> Reading:
        self.alarmed_at = row
        self.score = max(1.0, self._scored(total))
        return Reading(True, self.score, True)

    def _mass(self, count: int, at_s: float) -> float:
        """What each of the rows adds: 1, or its share of the time since the rows before, in years."""
        if not self._by_time:
            return 1.0
        last, self._last_s = self._last_s, at_s
        passed = 0.0 if last is None else at_s - last
        return max(passed, 1e-6) / (YEAR_S * count)

    def _many(self, X: np.ndarray[Any, Any], predictions: Any, at_s: float) -> Reading:
        tokens = self._lookup.tokens(X, predictions)
        mass = self._mass(len(X), at_s)
        if self._averages:
            return self._request(X, predictions, tokens, mass * len(X))
        start = 0
        while start < len(X):
            end = min(start + CHUNK, len(X), start + self.sums.left)
            totals = self.sums.rows(tokens[start:end], mass, self._threshold)
            over = np.flatnonzero(totals >= self._threshold)
            if len(over):
                row = start + int(over[0]) + 1
                self.kept.extend(self._lookup.rows(X[:row], predictions, KEPT_ROWS))
                alarm = self._alarm(float(totals[over[0]]), self.rows + row)
                self.rows += len(X)
                return alarm
            self._pass(tokens[start:end])
            start = end
        self.rows += len(X)
        self.kept.extend(self._lookup.rows(X, predictions, KEPT_ROWS))
        return self._quiet(float(totals[-1]))

    def _request(self, X: np.ndarray[Any, Any], predictions: Any, tokens: Ints, mass: float) -> Reading:
        """One request of several rows that may depend on each other."""
        self.rows += len(X)
        self.kept.extend(self._lookup.rows(X, predictions, KEPT_ROWS))
        total = self.sums.averaged(tokens, mass)
        if total >= self._threshold:
            return self._alarm(total, self.rows)
        self._pass(tokens)
        return self._quiet(total)

    def _pass(self, tokens: Ints) -> None:
        self.sums.pending += tokens.tolist()
        self.sums.learn()

    def _quiet(self, total: float) -> Reading:
        self.score = self._scored(total)
        return Reading(False, self.score)

    def _scored(self, total: float) -> float:
        return max(0.0, 1.0 + math.log(total / self._threshold) / self._log_span)

    def _blocks(self, aggregate: Aggregate, X: np.ndarray[Any, Any], predictions: Any, at_s: float) -> Reading:
        """Rows go into the block that is open; each block that they complete is one step."""
        reading = Reading(False, self.score)
        for figures, rows in aggregate.add(self._lookup.raw_bins(X, predictions), at_s):
            if self.alarmed_at is None:
                self.starts.append(self._next_start)
                self._next_start += rows
                reading = self._row(figures, self._mass(1, at_s) if self._by_time else float(rows))
        self.rows += len(X)
        return reading

    def checkpoint(self) -> bytes:
        """Everything it knows, for `restored`; of the kept rows the latest few hundred."""
        facts = {
            "reference": self.reference.digest,
            "rows": self.rows,
            "alarmed_at": self.alarmed_at,
            "score": self.score,
            "last_s": self._last_s,
            "kept": [[_plain(value) for value in row] for row in list(self.kept)[-_STORED_ROWS:]],
            "pending": self.sums.pending,
            "seen": self.sums.directions.seen,
            "next_start": self._next_start,
            "starts": list(self.starts)[-_STORED_ROWS:],
            "open": None if self._aggregate is None else self._aggregate.state(),
        }
        return packed("drift detector", facts, {"evidence": self.evidence, **self.sums.directions.state()})

    @classmethod
    def restored(cls, reference: Reference, state: bytes) -> Detector:
        """The detector that goes on where another one was.

        Raises: ValueError when the state is of another reference, of other options, or of another version.
        """
        facts, arrays = unpacked("drift detector", state)
        if facts["reference"] != reference.digest:
            raise ValueError("this state is of another reference; begin a new detector")
        detector = cls(reference)
        detector.evidence[:] = arrays["evidence"]
        detector.rows, detector.alarmed_at, detector.score = facts["rows"], facts["alarmed_at"], facts["score"]
        detector._last_s = facts["last_s"]
        detector.kept.extend(facts["kept"])
        detector.starts.extend(facts["starts"])
        detector._next_start = facts["next_start"]
        detector.sums.pending = [list(tokens) for tokens in facts["pending"]]
        detector.sums.directions.restore(arrays, facts["seen"])
        if detector._aggregate is not None:
            detector._aggregate.restore(facts["open"])
        return detector

    @classmethod
    def merged(cls, reference: Reference, states: Sequence[bytes]) -> Detector:
        """The evidence of several workers, each of which read a part of the rows, as that of one detector.

        Each worker's M grows by at most c per row of its own, so their sum grows by at most c per row of all: the sum
        against the same threshold keeps the rate. (By time every worker adds the time that passed, so the mean counts.)
        A change that all workers see at 1/N of the traffic is found at N times the rows that one would need.

        Raises: ValueError as `restored` does.
        """
        found = [cls.restored(reference, state) for state in states]
        merged = cls(reference)
        for each in found:
            merged.sums.values += each.evidence / (len(found) if merged._by_time else 1)
            merged.rows += each.rows
        strongest = max(found, key=lambda each: each.score)
        merged.kept, merged.starts = strongest.kept, strongest.starts
        merged.sums.directions = strongest.sums.directions
        total = merged.sums.total
        if total >= merged._threshold or strongest.alarmed_at is not None:
            merged._alarm(max(total, merged._threshold), merged.rows)
        elif total > 0:
            merged.score = merged._scored(total)
        return merged


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
