"""The noun of watching that a person acts on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

AlarmId = NewType("AlarmId", str)


class AlarmKind(StrEnum):
    """`drift`: rows or predictions changed; `performance`: labels say that the model got worse."""

    DRIFT = "drift"
    PERFORMANCE = "performance"


class AlarmState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How an alarm ended.

    `reset`: it was dealt with, and the watch begins anew against the same reference; `accepted`: what comes now is the
    new normal and the reference from here on; `replaced`: the release serves no more.
    """

    RESET = "reset"
    ACCEPTED = "accepted"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an alarm is raised on.

    Args:
        feature: that changed most; empty when no single one did.
        sentence: what a person reads first.
        score: evidence over what an alarm needs, so at least 1.
        since_row: estimated number of the release's first changed row, since_at when it came.
        expected_delay_rows: how late the method sees a change of this size, in rows.
        detail: figures for the page, JSON values.
    """

    feature: str
    sentence: str
    score: float
    since_row: int | None = None
    since_at: datetime | None = None
    expected_delay_rows: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as it stands. `evidence` is the detail; the other facts of `Evidence` are fields here."""

    id: AlarmId
    kind: AlarmKind
    endpoint: str
    release: str
    model: str
    state: AlarmState
    feature: str
    sentence: str
    score: float
    since_row: int | None
    since_at: datetime | None
    expected_delay_rows: float | None
    evidence: dict[str, Any]
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    closed_at: datetime | None
    closed_by: str | None
    outcome: Outcome | None
    reason: str | None
