"""The nouns of incidents."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NewType

IncidentId = NewType("IncidentId", str)
SignalId = NewType("SignalId", str)
Severity = Literal["page", "ticket", "info"]
"""As alerts have it: somebody is woken, somebody looks at it in a day, nobody has to."""
SEVERITIES: tuple[Severity, ...] = ("page", "ticket", "info")


class IncidentState(StrEnum):
    """`mitigated`: none of its signals is going on, and nobody has said what it was."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    CLOSED = "closed"


class ClosedAs(StrEnum):
    """What an incident turned out to be, in one word; `cause` says it in words."""

    CAUSE = "cause"
    FALSE_ALARM = "false alarm"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a signal is about; whatever is not known is empty."""

    endpoint: str = ""
    service: str = ""
    host: str = ""
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """`endpoint:support-chat`, `service:checkout`, `host:node-1`."""
        pairs = (("endpoint", self.endpoint), ("service", self.service), ("host", self.host))
        return tuple(f"{kind}:{name}" for kind, name in pairs if name)


@dataclass(frozen=True, slots=True)
class Observed:
    """A signal as its source tells it, before it is stored.

    Args:
        source: the system that found it: `alertmanager`, `github`, `opsloop`.
        kind: what sort of fact it is: `alert`, `drift`, `rollout`, `job`, `ci`, `metric`, `log`, `guardrail`.
        name: of the rule, detector or job that found it.
        text: the sentence for people.
        ended_at: None while it goes on.
        key: what makes it the same signal when it is told again; empty: source, kind, name and subject do.
        numbers: figures that came with it, by name.
        link: where to read more, an http(s) address; empty when there is none.
    """

    source: str
    kind: str
    name: str
    severity: Severity
    subject: Subject
    text: str
    started_at: datetime
    ended_at: datetime | None = None
    key: str = ""
    numbers: dict[str, float] = field(default_factory=dict)
    link: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal that was taken in.

    Args:
        incident: that it belongs to; None while it opened none.
        times: how often it was told.
        flaps: how often it came back soon after its end.
    """

    id: SignalId
    incident: IncidentId | None
    source: str
    kind: str
    name: str
    severity: Severity
    subject: Subject
    text: str
    started_at: datetime
    ended_at: datetime | None
    seen_at: datetime
    fingerprint: str
    numbers: dict[str, float]
    link: str
    times: int
    flaps: int


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of an incident's timeline.

    Args:
        at: when what it tells of happened.
        kind: `opened`, `signal`, `over`, `change`, `suspect`, `diagnosis`, `remediation`, `note`, `acknowledged`,
            `mitigated`, `closed`.
        by: who wrote it, as in the audit trail.
    """

    seq: int
    at: datetime
    kind: str
    text: str
    by: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Suspect:
    """What may have caused an incident.

    Args:
        kind: `release`, `change`, `service`, `metric`, `log`.
        score: how much speaks for it beside the others, 0 to 1; no probability.
        evidence: sentences that speak for it.
        counter_evidence: sentences that speak against it.
        link: where to look, a path of the console or an http(s) address.
    """

    name: str
    kind: str
    score: float
    evidence: tuple[str, ...] = ()
    counter_evidence: tuple[str, ...] = ()
    link: str = ""


@dataclass(frozen=True, slots=True)
class Impact:
    """Requests of an endpoint while an incident went on.

    Args:
        usual_share: of requests that failed in the six hours before; None without any.
        since: first minute in which the endpoint failed or was slow; until: its end, or when it was counted last.
    """

    endpoint: str
    requests: int
    failed: int
    usual_share: float | None
    since: datetime
    until: datetime

    @property
    def share(self) -> float:
        """Of requests that failed, 0 to 1."""
        return self.failed / self.requests if self.requests else 0.0

    @property
    def sentence(self) -> str:
        usual = "" if self.usual_share is None else f"; {100 * self.usual_share:.2g} % before"
        return (
            f"{self.endpoint}: {self.failed} of {self.requests} requests failed ({100 * self.share:.3g} %{usual}), "
            f"{self.since:%Y-%m-%d %H:%M}Z to {self.until:%H:%M}Z"
        )


@dataclass(frozen=True, slots=True)
class Similar:
    """A closed incident that is like this one; `share`: of the detectors of both, those that both have, 0 to 1."""

    incident: IncidentId
    title: str
    closed_as: ClosedAs
    cause: str
    share: float
    closed_at: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    """Signals that belong together, and what is known of their cause.

    Args:
        subjects: what it is about, as `Subject.names` has it.
        signal_count: signals in it, each counted once.
        told_count: how often its signals were told.
        diagnosis: what the log's diagnosis says, as that part stores it.
        closed_as, cause: what it was, once it is closed.
    """

    id: IncidentId
    title: str
    severity: Severity
    state: IncidentState
    subjects: tuple[str, ...]
    signal_count: int
    told_count: int
    suspects: tuple[Suspect, ...]
    diagnosis: dict[str, Any] | None
    opened_at: datetime
    last_signal_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    mitigated_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    closed_as: ClosedAs | None
    cause: str
    signals: tuple[Signal, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    similar: tuple[Similar, ...] = ()
    impact: tuple[Impact, ...] = ()

    @property
    def endpoint(self) -> str:
        """The one endpoint that it is about; empty when it is about none or several."""
        found = [name.removeprefix("endpoint:") for name in self.subjects if name.startswith("endpoint:")]
        return found[0] if len(found) == 1 else ""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of signals: `new` ones, ones that were `known`, ones that are over; incidents that were `opened`."""

    new: int = 0
    known: int = 0
    over: int = 0
    opened: tuple[IncidentId, ...] = ()
