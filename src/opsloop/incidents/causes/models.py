"""The nouns of root cause: what is known of an incident, and the suspects ranked from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ChangeKind(StrEnum):
    RELEASE = "release"
    MODEL = "model"
    PROMPT = "prompt"
    DATA = "data"
    COLLECTION = "collection"
    GUARDRAILS = "guardrails"
    LIMIT = "limit"
    SCHEDULE = "schedule"
    CONFIG = "config"
    DEPLOYMENT = "deployment"


class SuspectKind(StrEnum):
    CHANGE = "change"
    SERVICE = "service"


class SeriesKind(StrEnum):
    """What a metric tells, which decides the direction that is bad."""

    LATENCY = "latency"
    ERRORS = "errors"
    AVAILABILITY = "availability"
    TRAFFIC = "traffic"
    RESOURCE = "resource"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that somebody or something changed.

    Args:
        subject: what was changed, e.g. `endpoint/chat`.
        by: who did it, as the audit trail names callers.
        before, after: what it was and became, in short; None: not known.
        ref: where it stands on the record, e.g. `audit/audit_12`.
    """

    at: datetime
    kind: ChangeKind
    subject: str
    by: str
    action: str
    ref: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """Figures of one service over time.

    Args:
        times_s: seconds since 1970 UTC, ascending.
        values: finite, one for each time.
        is_own: what comes from the parts that it calls is taken out.
        way_from: a caller of the service; then the values are what that caller waits for it less what it takes itself,
            the time of its calls on the way there and back.
    """

    service: str
    metric: str
    kind: SeriesKind
    times_s: tuple[float, ...]
    values: tuple[float, ...]
    is_own: bool = False
    way_from: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """One service calls another. Requests and errors in the incident's window; 0 when only declared."""

    caller: str
    callee: str
    calls: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class LogTemplate:
    """Lines of one form.

    Args:
        before, after: how many there were before the start and since.
        expected: how many were to come since, had nothing changed; None: as many as the ones before.
        is_error: some of them say that they are errors.
    """

    service: str
    template: str
    before: int
    after: int
    expected: float | None = None
    is_error: bool = True


@dataclass(frozen=True, slots=True)
class ReleaseTraffic:
    """Requests that one release answered.

    Args:
        latency_ms: mean of answered ones, None without any.
        requests_before, errors_before: those of them from before the start.
    """

    subject: str
    release: str
    first_at: datetime
    last_at: datetime
    requests: int
    errors: int
    latency_ms: float | None
    requests_before: int = 0
    errors_before: int = 0

    @property
    def error_rate(self) -> float:
        return self.errors / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of an incident.

    Args:
        subjects: where the symptoms are: services, or targets such as `endpoint/chat`.
        started_at: of the symptoms; what lies before it is the reference.
        edges: the call graph, from traces or declared; may be empty.
        symptom: what the symptoms are in, e.g. latency; None: not known.
        releases: traffic of each release of the subjects around the start.
    """

    subjects: tuple[str, ...]
    started_at: datetime
    until: datetime
    series: tuple[MetricSeries, ...] = ()
    edges: tuple[Edge, ...] = ()
    logs: tuple[LogTemplate, ...] = ()
    releases: tuple[ReleaseTraffic, ...] = ()
    changes: tuple[Change, ...] = ()
    symptom: SeriesKind | None = None


@dataclass(frozen=True, slots=True)
class Suspect:
    """Args: score: from 0 to 1, for ordering; it is no probability."""

    kind: SuspectKind
    subject: str
    score: float
    evidence: tuple[str, ...]
    counter_evidence: tuple[str, ...] = ()
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Suspects, the likeliest first; `abstained` says why none is named, and `suspects` is empty then."""

    suspects: tuple[Suspect, ...]
    abstained: str | None = None
