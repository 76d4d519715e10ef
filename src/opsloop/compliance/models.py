"""What the report for an audit says. `docs/reference/audit-report.schema.json` describes its JSON form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from opsloop.core.audit.models import AuditEvent, Verification
from opsloop.core.identity.models import ApiKey
from opsloop.feedback.models import FeedbackSummary
from opsloop.monitoring.alarms.models import Alarm
from opsloop.monitoring.alerts.models import Alert

FORMAT = "opsloop-audit-report/1"


@dataclass(frozen=True, slots=True)
class Period:
    """From its start on, up to and without its end."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Data:
    """A dataset version that something was trained or evaluated on; the digest where it is known."""

    ref: str
    digest: str | None
    role: str


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate's verdict on the evaluation that a release named."""

    evaluation: str
    verdict: str
    sentence: str
    decided_at: datetime
    decided_by: str


@dataclass(frozen=True, slots=True)
class RolloutMade:
    """One way of a release to traffic; `by` names whoever moved it."""

    id: str
    strategy: str
    status: str
    reason: str
    started_at: datetime
    finished_at: datetime | None
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleaseServed:
    """A release that was made or rolled out in the period, or that served at its end."""

    id: str
    number: int
    serves: str
    digest: str
    made_at: datetime
    made_by: str
    is_stable: bool
    data: tuple[Data, ...]
    gate: Gate | None
    rollouts: tuple[RolloutMade, ...]


@dataclass(frozen=True, slots=True)
class ObjectiveKept:
    """An objective over the period itself, to the hour."""

    name: str
    target: float
    within_ms: int | None
    value: float | None
    total: int
    bad: int
    is_met: bool | None


@dataclass(frozen=True, slots=True)
class EndpointReport:
    name: str
    kind: str
    releases: tuple[ReleaseServed, ...]
    objectives: tuple[ObjectiveKept, ...]
    guardrail_hits: int
    leaks: int
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything; `cut` names parts of which only the newest are here.

    Args:
        decisions: records of approvals, rejections and moves of rollouts, oldest first.
        actions: how often each action stands in the record of the period.
        trail: the check of the whole record when the report was made.
    """

    format: str
    period: Period
    endpoints: tuple[EndpointReport, ...]
    decisions: tuple[AuditEvent, ...]
    actions: dict[str, int]
    alerts: tuple[Alert, ...]
    feedback: FeedbackSummary
    keys: tuple[ApiKey, ...]
    trail: Verification
    cut: tuple[str, ...]
