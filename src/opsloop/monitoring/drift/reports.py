"""How the watched releases of an endpoint stand: the nouns that the API answers with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsloop.monitoring.alarms.models import Alarm


@dataclass(frozen=True, slots=True)
class FeatureScore:
    """Args: score: evidence over what an alarm needs; 1 is an alarm."""

    feature: str
    score: float


@dataclass(frozen=True, slots=True)
class WatchReport:
    """One watched release.

    Args:
        rows: seen since the watch began or began anew.
        score: the largest of any replica; the evidence of several together is in the alarm.
        broken: requests that broke an expectation, by its name.
        about: the method, its rate of false alarms and delays, and the model, as JSON values.
        updated_at: of the newest checkpoint; None before the first.
    """

    release: str
    model: str
    rows: int
    score: float
    features: tuple[FeatureScore, ...]
    broken: dict[str, int]
    alarm: Alarm | None
    about: dict[str, Any]
    replicas: int
    restarted_at: datetime
    updated_at: datetime | None

    @property
    def method(self) -> str:
        """How it is watched, in words."""
        found = self.about.get("drift", {})
        unit = found.get("block", "row")
        words = {
            "sequential": f"sequential test, {unit} by {unit}",
            "z_score": f"mean of a request, alarm beyond {found.get('z_limit')} sd",
            "none": f"not watched: {found['why']}" if found.get("why") else "not watched",
        }
        return words.get(str(found.get("method")), "")

    @property
    def false_alarms(self) -> str:
        """How often it alarms though nothing changed, in words; empty where nobody can say."""
        found = self.about.get("drift", {})
        if found.get("false_alarms_per_year"):
            told = f"at most {found['false_alarms_per_year']:g} a year"
        elif found.get("false_alarms_every"):
            told = f"at most one in {found['false_alarms_every']:,.0f} rows"
        else:
            return ""
        return (
            told
            if found.get("is_guaranteed", True)
            else f"{told}, not promised: {found.get('reference_rows')} reference rows"
        )

    @property
    def delays(self) -> str:
        """How late a change is seen, by its size, in words."""
        found = self.about.get("drift", {}).get("expected_delay") or {}
        return ", ".join(f"{rows:,.0f} rows for {size}" for size, rows in found.items() if rows is not None)

    @property
    def sentence(self) -> str:
        if self.alarm is not None:
            return self.alarm.sentence
        if not self.rows:
            return "no row has come yet"
        return f"no drift in {self.rows:,} rows; the strongest evidence is {self.score:.2f} of what an alarm needs"


@dataclass(frozen=True, slots=True)
class DriftReport:
    """Args: detected: whether an alarm of drift is open."""

    endpoint: str
    detected: bool
    sentence: str
    watches: tuple[WatchReport, ...]


@dataclass(frozen=True, slots=True)
class Bin:
    """Values of a range, or one category; shares of the rows, 0 to 1."""

    label: str
    reference: float
    now: float


@dataclass(frozen=True, slots=True)
class Distribution:
    """Args: reference_rows, now_rows: how many the shares are of."""

    feature: str
    release: str
    reference_rows: int
    now_rows: int
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """One interval; `value` is None where no row of it had the feature."""

    at: datetime
    rows: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Course:
    """A feature over time.

    Args:
        what: is followed, `mean` or `share of blue`.
        reference: the same of the reference rows; None where they are not known.
    """

    feature: str
    what: str
    reference: float | None
    points: tuple[CoursePoint, ...]
