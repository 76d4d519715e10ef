"""Days whose rows depend on each other, for `drift_quality.py`: ours by its own unit, beside daily means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from _drift_rules import CHUNK, most_by_chance
from _drift_streams import Days, in_time
from opsloop.monitoring.drift.detector import Detector
from opsloop.monitoring.drift.fitting import fit
from opsloop.monitoring.drift.options import DriftOptions
from opsloop.monitoring.drift.reference import Reference

Table = np.ndarray[Any, Any]
EVERY_DAYS, REFERENCE_DAYS, QUIET_DAYS, BEFORE_DAYS, CHANGED_DAYS = 365.0, 150, 200, 20, 280


TRIED_DAYS = (3.0, 10.0, 30.0, 100.0, 365.0)


@dataclass
class ByDay:
    """Of days: alarms without change, days until a change is seen.

    Args:
        alarms_of_rows: of ours as if rows were independent.
        alarms_of_means: of the rule that a day's mean is more than 3 standard deviations of daily means away, which is
            made for such days; the other rules take rows as independent.
        own, limit: of both, at which they alarm once in EVERY_DAYS on held-out days.
    """

    name: str
    unit: str = ""
    why: str = ""
    days: int = 0
    alarms: int = 0
    alarms_of_rows: int = 0
    alarms_of_means: int = 0
    delay: float = math.inf
    delay_of_means: float = math.inf
    own: float = EVERY_DAYS
    limit: float = CHUNK.limit
    delay_at_same_rate: float = math.inf
    delay_of_means_at_same_rate: float = math.inf

    def __str__(self) -> str:
        means = f"{self.delay_of_means:,.0f}"
        if self.alarms_of_means > most_by_chance(self.days / EVERY_DAYS):
            means = f"({means})"
        return (
            f"{self.name}: the unit is {self.unit}: {self.why}\n"
            f"alarms in {self.days:,} days (set: 1 in {EVERY_DAYS:.0f}): {self.alarms}; as if rows were independent "
            f"{self.alarms_of_rows}; of daily means beyond 3 sd {self.alarms_of_means}\n"
            f"days until the change is seen: {self.delay:,.0f}; by daily means {means}; at the same measured rate "
            f"{self.delay_at_same_rate:,.0f} (set to {self.own:,.0f} days), by daily means "
            f"{self.delay_of_means_at_same_rate:,.0f} (beyond {self.limit:.1f} sd)"
        )


@dataclass(frozen=True)
class _Draw:
    """One reference, days without change, and days with."""

    known: list[Table]
    quiet: list[Table]
    changed: list[Table]
    columns: tuple[str, ...]

    def reference(self, every_days: float, block: str = "auto") -> Reference:
        baseline, at_s = in_time(self.known)
        options = DriftOptions(false_alarms_every=every_days * len(baseline) / REFERENCE_DAYS, block=block)
        return fit(baseline, None, self.columns, options, at_s=at_s)

    @property
    def together(self) -> list[Table]:
        return self.quiet[:BEFORE_DAYS] + self.changed


def by_day(of: Days, runs: int, rng: np.random.Generator) -> ByDay:
    draws, held_out = (
        [_Draw(*of.draw(REFERENCE_DAYS, QUIET_DAYS, CHANGED_DAYS, rng), of.columns) for _ in range(runs)]
        for _ in range(2)
    )
    block = draws[0].reference(EVERY_DAYS).block
    found = ByDay(of.name, block.unit, block.why, runs * QUIET_DAYS)
    for each in draws:
        found.alarms += len(days_of_alarms(each.reference(EVERY_DAYS), each.quiet))
        found.alarms_of_rows += len(days_of_alarms(each.reference(EVERY_DAYS, "row"), each.quiet))
        found.alarms_of_means += len(days_of_means(each.known, each.quiet, CHUNK.limit))
    allowed = int(found.days / EVERY_DAYS)
    found.own = next(every for every in TRIED_DAYS if _count(held_out, every) <= allowed or every == EVERY_DAYS)
    far = np.sort(np.concatenate([_far(each.known, each.quiet) for each in held_out]))
    found.limit = float(far[-1 - allowed])
    found.delay = _median([days_of_alarms(each.reference(EVERY_DAYS), each.together) for each in draws])
    found.delay_at_same_rate = _median([days_of_alarms(each.reference(found.own), each.together) for each in draws])
    found.delay_of_means = _median([days_of_means(each.known, each.together, CHUNK.limit) for each in draws])
    at_limit = [days_of_means(each.known, each.together, found.limit) for each in draws]
    found.delay_of_means_at_same_rate = _median(at_limit)
    return found


def _count(draws: Sequence[_Draw], every_days: float) -> int:
    return sum(len(days_of_alarms(each.reference(every_days), each.quiet)) for each in draws)


def days_of_alarms(reference: Reference, parts: Sequence[Table]) -> list[int]:
    """The days (from 1) on which ours alarms; after an alarm it begins anew."""
    detector, found = Detector(reference), []
    for day, rows in enumerate(parts, start=1):
        if detector.update(rows, (), 86_400.0 * day).is_new:
            found.append(day)
            detector = Detector(reference)
    return found


def days_of_means(known: Sequence[Table], parts: Sequence[Table], limit: float) -> list[int]:
    """The days on which the mean of a column is too far away."""
    return (np.flatnonzero(_far(known, parts) > limit) + 1).tolist()


def _far(known: Sequence[Table], parts: Sequence[Table]) -> Table:
    """Of each day, the largest distance of a column's mean in standard deviations of daily means."""
    means = np.array([np.nanmean(rows, axis=0) for rows in known])
    found: Table = np.array([np.abs((np.nanmean(rows, axis=0) - means.mean(0)) / means.std(0)).max() for rows in parts])
    return found


def _median(days: Sequence[Sequence[int]]) -> float:
    late = [next((float(day - BEFORE_DAYS) for day in each if day > BEFORE_DAYS), math.inf) for each in days]
    return sorted(late)[len(late) // 2]
