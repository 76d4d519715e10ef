"""The nouns of alerts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NewType

AlertId = NewType("AlertId", str)
Severity = Literal["page", "ticket", "info"]
"""How urgent: somebody is woken, somebody looks at it in a day, nobody has to."""
SEVERITIES: tuple[Severity, ...] = ("page", "ticket", "info")
OURS = "opsloop"
"""The source of alerts that are found here; others name the system they came from."""


class AlertState(StrEnum):
    """`pending`: it holds, and not for so long as its rule wants; `firing`: people are told; `resolved`: it is over."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that a rule looks for and that holds now.

    Args:
        labels: what makes it the same alert when it is found again, with the rule.
        holds_s: how long it must hold before people are told; 0: at once.
        lasts_s: an event is no state that could end: how long its alert stays; None: as long as it is found.
    """

    rule: str
    endpoint: str
    severity: Severity
    summary: str
    labels: dict[str, str] = field(default_factory=dict)
    holds_s: float = 0.0
    lasts_s: float | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it stands.

    Args:
        endpoint: that it is about; empty when it is about none.
        times: how often it began to fire.
        is_silenced: nobody is told now.
    """

    id: AlertId
    source: str
    rule: str
    endpoint: str
    severity: Severity
    state: AlertState
    labels: dict[str, str]
    summary: str
    times: int
    started_at: datetime
    fired_at: datetime | None
    resolved_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    is_silenced: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody is told of alerts that match until a moment.

    Args:
        matchers: values of `rule`, `endpoint`, `severity`, `source` or of labels; `*` in a value stands for anything.
    """

    id: str
    matchers: dict[str, str]
    reason: str
    until: datetime
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Declared:
    """A rule or a channel as it is declared; `is_default`: it is one that every installation starts with."""

    name: str
    declared: dict[str, Any]
    is_default: bool = False
