"""Who saw which arm, and what happened to them: counts of one rollout, made of its records in any order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from opsloop.monitoring.models import RequestRecord
from opsloop.releases.analysis.evidence import Arm
from opsloop.releases.analysis.stepping import Counts


class ArmExposure:
    """One arm over the whole rollout. A caller saw an error of every failure but the shielded ones."""

    def __init__(self) -> None:
        self.users: set[str] = set()
        self.requests = 0
        self.failed = 0
        self.shielded = 0

    def count(self, record: RequestRecord, *, failed: bool) -> None:
        self.users.add(record.subject)
        self.requests += 1
        self.failed += failed
        self.shielded += failed and record.shielded

    def figures(self) -> dict[str, int]:
        return {
            "requests": self.requests,
            "users": len(self.users),
            "failed": self.failed,
            "shielded": self.shielded,
            "callers_saw_error": self.failed - self.shielded,
        }


class StepExposure:
    """One step: its subjects, and those among them who had trouble, by kind.

    A share belongs to one step and buckets are nested, so a subject has one arm within a step.
    """

    def __init__(self) -> None:
        self._is_candidate: dict[str, bool] = {}
        self._troubled: dict[str, set[str]] = {}
        self._candidates = 0

    def count(self, subject: str, *, candidate: bool) -> None:
        if subject not in self._is_candidate:
            self._is_candidate[subject] = candidate
            self._candidates += candidate

    def trouble(self, kind: str, subject: str, *, candidate: bool) -> None:
        self.count(subject, candidate=candidate)
        self._troubled.setdefault(kind, set()).add(subject)

    def counts(self, kind: str) -> Counts:
        troubled = self._troubled.get(kind, set())
        candidates = sum(self._is_candidate[subject] for subject in troubled)
        stables = len(self._is_candidate) - self._candidates
        return Counts(
            candidate=Arm(self._candidates, candidates),
            stable=Arm(stables, len(troubled) - candidates),
        )


class Times:
    """When the candidate was first bad and when it was last asked, by the gateways' clocks."""

    def __init__(self) -> None:
        self.first_bad_at: datetime | None = None
        self.last_asked_at: datetime | None = None

    def asked(self, record: RequestRecord) -> None:
        self.last_asked_at = max(self.last_asked_at or record.started_at, record.started_at)

    def bad(self, record: RequestRecord) -> None:
        answered_at = record.started_at + timedelta(milliseconds=record.duration_ms)
        self.first_bad_at = min(self.first_bad_at or answered_at, answered_at)

    def figures(self) -> dict[str, Any]:
        """`bad_for_s`: from the first bad answer of the candidate to the last request that was given to it."""
        if self.first_bad_at is None or self.last_asked_at is None:
            return {}
        bad_for_s = max(0.0, (self.last_asked_at - self.first_bad_at).total_seconds())
        return {
            "first_bad_at": self.first_bad_at.isoformat(),
            "last_candidate_request_at": self.last_asked_at.isoformat(),
            "bad_for_s": round(bad_for_s, 3),
        }
