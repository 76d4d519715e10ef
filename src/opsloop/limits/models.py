"""The nouns of limits: whose they are, what they count, how much was used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

NANO = 1_000_000_000
"""Money is counted in whole billionths of a US dollar: sums of them are exact."""


class Scope(StrEnum):
    """`default` stands for every key that has no limit of its own."""

    DEFAULT = "default"
    KEY = "key"
    ENDPOINT = "endpoint"


class Meter(StrEnum):
    """What is counted. Requests and tokens start anew each minute, money each day or month, of UTC."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    CONCURRENT = "concurrent"
    DAY = "usd_day"
    MONTH = "usd_month"

    @property
    def is_money(self) -> bool:
        return self in (Meter.DAY, Meter.MONTH)


@dataclass(frozen=True, slots=True)
class Limit:
    """What one key, one endpoint or, by default, each key may use; None where nothing is limited.

    Args:
        concurrent: requests under way at a time.
        usd_per_day, usd_per_month: money for models, in US dollars.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent: int | None = None
    usd_per_day: float | None = None
    usd_per_month: float | None = None

    def most(self, meter: Meter) -> int | None:
        """How much of a meter, in its own unit: a number, or billionths of a dollar."""
        match meter:
            case Meter.REQUESTS:
                return self.requests_per_minute
            case Meter.TOKENS:
                return self.tokens_per_minute
            case Meter.CONCURRENT:
                return self.concurrent
            case Meter.DAY:
                return nanos(self.usd_per_day)
            case Meter.MONTH:
                return nanos(self.usd_per_month)

    @property
    def is_empty(self) -> bool:
        return all(self.most(meter) is None for meter in Meter)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose a limit is, and whose use is counted: of a default limit each key's own."""

    scope: Scope
    name: str

    def __str__(self) -> str:
        return f"{self.scope} {self.name}"


@dataclass(frozen=True, slots=True)
class LimitState:
    """A limit that is set, and since when."""

    scope: Scope
    name: str
    limit: Limit
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class Use:
    """How much of one meter was used in the window that is now; money in US dollars.

    `held` is what running gateways hold for calls to come: it counts as used until they give it back.
    """

    scope: Scope
    name: str
    meter: Meter
    used: float
    held: float
    limit: float | None
    resets_at: datetime | None


def nanos(usd: float | None) -> int | None:
    return None if usd is None else round(usd * NANO)
