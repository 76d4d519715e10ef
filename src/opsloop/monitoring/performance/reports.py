"""How well releases do: the nouns that the API answers with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from opsloop.monitoring.alarms.models import Alarm


@dataclass(frozen=True, slots=True)
class Figure:
    """Args: low, high: of the interval; None where there are too few rows for one."""

    name: str
    value: float
    low: float | None
    high: float | None
    rows: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a figure probably is, told from rows without their labels.

    Args:
        value, low, high: of the figure; None when it cannot be told, for the reason.
        rows: it was told from.
        error: how far it is from the figure by labels, once there are some.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    rows: int
    error: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PerformancePoint:
    """The first figure of one stretch of labelled rows, by when they were predicted."""

    at: datetime
    figure: Figure


@dataclass(frozen=True, slots=True)
class ReleasePerformance:
    """One release in the window.

    Args:
        validated: figures of the model's validation.
        tested: the figure that the sequential test holds against validation; None when the model brought none.
        score: its evidence that the model got worse; 1 is an alarm.
        served: rows that were predicted, labelled or not.
        estimate: of the first figure, without labels; None when the model brought none.
    """

    release: str
    model: str
    task: str
    figures: tuple[Figure, ...]
    points: tuple[PerformancePoint, ...]
    validated: dict[str, float]
    tested: str | None
    score: float
    labels_tested: int
    alarm: Alarm | None
    labelled: int
    served: int
    estimate: Estimate | None = None

    @property
    def sentence(self) -> str:
        if self.alarm is not None:
            return self.alarm.sentence
        if not self.labelled:
            return f"none of {self.served:,} rows has a label yet"
        first = self.figures[0]
        told = f"{first.name} {first.value:.4g} over {first.rows:,} labels"
        promised = self.validated.get(first.name)
        return told if promised is None else f"{told}; {promised:.4g} in validation"


@dataclass(frozen=True, slots=True)
class PerformanceReport:
    endpoint: str
    window_s: int
    worse: bool
    sentence: str
    releases: tuple[ReleasePerformance, ...]
