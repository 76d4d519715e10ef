"""The nouns of usage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

By = Literal["day", "key", "endpoint", "model"]
BY: tuple[By, ...] = ("day", "key", "endpoint", "model")


@dataclass(frozen=True, slots=True)
class Used:
    """One line of a usage report.

    Args:
        name: the day as 2026-07-01, or the name of the key, endpoint or model; empty for requests without a key, and
            for what was answered without a call to a model.
        requests: of callers; 0 in a line of a model, for one request may call several.
        errors: those among them that were answered with an error.
        calls: to models.
        tokens_in, tokens_out: counted by the models' servers, estimated where nobody counted.
        cost_usd: of the calls that have a price.
        unpriced: calls without one.
    """

    name: str
    requests: int
    errors: int
    calls: int
    tokens_in: int
    tokens_out: int
    cost_usd: float
    unpriced: int


@dataclass(frozen=True, slots=True)
class UsageReport:
    """What was used from the first day to the last, both included, in days of UTC."""

    by: By
    since: date
    until: date
    items: tuple[Used, ...]
    total: Used
