"""The nouns of objectives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Measure(StrEnum):
    """What an objective counts.

    `availability`: requests that got an answer · `latency`: answers within `within_ms` · `mean_latency`: the mean time
    to an answer, over `within_ms` · `satisfaction`: feedback of at least half the scale · `quality`: live samples whose
    score passes · `privacy`: answers without personal data · `guardrails`: requests no guardrail stopped.
    """

    AVAILABILITY = "availability"
    LATENCY = "latency"
    MEAN_LATENCY = "mean_latency"
    SATISFACTION = "satisfaction"
    QUALITY = "quality"
    PRIVACY = "privacy"
    GUARDRAILS = "guardrails"

    @property
    def has_limit(self) -> bool:
        return self in (Measure.LATENCY, Measure.MEAN_LATENCY)


class State(StrEnum):
    """How an objective stands.

    `met` · `burning`: the budget goes so fast that somebody is told · `broken`: the budget of the window is used up ·
    `not_enough_traffic`: the share is below the target, and too few events were seen to say so · `no_data`.
    """

    MET = "met"
    BURNING = "burning"
    BROKEN = "broken"
    NOT_ENOUGH = "not_enough_traffic"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True)
class Objective:
    """A share of good events over a window.

    Args:
        target: share that shall be good, above 0 and at most 1; 1 leaves no budget, of `mean_latency` it says nothing.
        window_days: length of the window that ends now.
        within_ms: how long an answer may take; one of `LIMITS_MS`.
    """

    measure: Measure
    target: float
    window_days: float = 30.0
    within_ms: int | None = None
    is_default: bool = False

    @property
    def name(self) -> str:
        return f"{self.measure}-{self.within_ms}ms" if self.within_ms is not None else str(self.measure)

    @property
    def budget(self) -> float:
        """Share of events that may be bad."""
        return 1 - self.target

    @property
    def window_s(self) -> int:
        return int(self.window_days * 86_400)


@dataclass(frozen=True, slots=True)
class Tally:
    """Events of a span of time; `amount` is what they add up to, in milliseconds where they are answers."""

    total: int = 0
    good: int = 0
    amount: float = 0.0

    @property
    def bad(self) -> int:
        return self.total - self.good

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.total + other.total, self.good + other.good, self.amount + other.amount)


@dataclass(frozen=True, slots=True)
class Burn:
    """How fast a budget goes, over a long window and the short one that ends with it.

    Args:
        long_rate, short_rate: share of bad events over the budget; 1 uses it up exactly by the window's end. None: no
            events, or no budget to divide by.
        threshold: both rates must reach it.
        is_firing: they do, and enough events were seen to say so.
        is_thin: they do, and too few were seen.
    """

    severity: str
    long_s: int
    short_s: int
    threshold: float
    long_rate: float | None
    short_rate: float | None
    is_firing: bool
    is_thin: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """An objective and how it stands.

    Args:
        value: share of good events in the window; of `mean_latency` the mean in milliseconds. None without events.
        budget_left: share of the window's budget that is left, 1 at most, below 0 when more than all is used. None
            without events, or where an objective leaves no budget.
        severity: of the fastest burn that fires, `page` or `ticket`.
    """

    endpoint: str
    name: str
    measure: Measure
    target: float
    window_days: float
    within_ms: int | None
    is_default: bool
    state: State
    value: float | None
    total: int
    bad: int
    budget_left: float | None
    severity: str | None
    sentence: str
    burns: tuple[Burn, ...]
    until: datetime

    @property
    def is_broken(self) -> bool:
        return self.state is State.BROKEN
