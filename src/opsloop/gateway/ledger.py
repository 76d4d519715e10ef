"""The records of one request, and why they are as they are.

- An attempt of the arm that was drawn for the subject is one record in its rollout.
- When the candidate fails before the first byte was sent and the route shields callers, stable is asked for the same
  request. The candidate's record then says `error` and `shielded`; the answer's record has arm `stable` and no rollout.
  The comparison of a rollout so sees each subject in the arm that was drawn for it and nowhere else (were the record of
  the stand-in part of it, stable would get exactly the subjects whose questions are hard), while traffic counts the
  caller's request once, as answered.
- A request that both arms refuse as wrong in itself (4xx) is the caller's fault, and recorded so. One that only the
  candidate refuses is the candidate's fault: its record says 500.
- Feedback is given on the request's id and so belongs to the answer; the shielded attempt has the id with `~candidate`.

Records are in the spool before the last byte of the answer is handed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opentelemetry.trace import StatusCode

from opsloop.core.clock import Clock
from opsloop.core.errors import Kind, OpsloopError
from opsloop.core.telemetry import collecting
from opsloop.core.web.problems import status_of
from opsloop.gateway.complaints import Complaints
from opsloop.gateway.guarding import Guard
from opsloop.guardrails.models import Hit
from opsloop.llm.tabs import ModelCalls, Tab
from opsloop.monitoring.models import RequestRecord, Status
from opsloop.monitoring.recorder import Recorder
from opsloop.releases.routing import Arm, Route

CLIENT_CLOSED = 499  # what nginx logs for a caller that went away
_FAULTS_OF_CALLER = (Kind.INVALID, Kind.TOO_LARGE, Kind.LIMITED)


class RecordIds:
    """Ids of records: a prefix that is new at every start, and a number."""

    __slots__ = ("_count", "_prefix")

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._count = 0

    def new(self) -> str:
        self._count += 1
        return f"{self._prefix}.{self._count}"


@dataclass(frozen=True, slots=True)
class _Failure:
    arm: Arm
    error: Exception
    duration_ms: float
    calls: tuple[ModelCalls, ...]


class Ledger:
    """Keeps the record of one request, once; of the shielded attempt too, when there was one."""

    __slots__ = (
        "_clock",
        "_complaints",
        "_guards",
        "_ids",
        "_is_kept",
        "_key",
        "_recorder",
        "_request_id",
        "_route",
        "_shielded",
        "_started_at",
        "_started_s",
        "_streamed",
        "_subject",
        "tab",
    )

    def __init__(
        self,
        recorder: Recorder,
        ids: RecordIds,
        clock: Clock,
        route: Route,
        complaints: Complaints,
        *,
        subject: str,
        request_id: str,
        streamed: bool,
        key: str | None = None,
    ) -> None:
        self._recorder = recorder
        self._ids = ids
        self._clock = clock
        self._route = route
        self._complaints = complaints
        self._subject = subject
        self._request_id = request_id
        self._streamed = streamed
        self._started_at: datetime = clock.now()
        self._started_s = clock.monotonic_s()
        self._shielded: _Failure | None = None
        self._guards: dict[str, Guard] = {}
        self._is_kept = False
        self._key = key or ""
        self.tab = Tab()
        """Of the calls to models that are made for the request."""

    @property
    def request_id(self) -> str:
        return self._request_id

    def guarded_by(self, arm: Arm, guard: Guard) -> None:
        """Whose hits belong to the record of an arm."""
        self._guards[arm.name] = guard

    def shield(self, arm: Arm, error: Exception) -> None:
        """The candidate failed and stable is asked; from here on the time is stable's."""
        self._shielded = _Failure(arm, error, self._duration_ms(), self.tab.take())
        self._started_s = self._clock.monotonic_s()
        self._complaints.tell("candidate_failed", endpoint=self._route.endpoint, release=arm.release, error=error)

    def answered(self, arm: Arm, facts: Mapping[str, Any]) -> None:
        """Args: facts: fields of the record, from the answer."""
        self._keep(arm, "ok", **facts)

    def failed(self, arm: Arm, error: Exception, *, http_status: int | None = None) -> None:
        """Args: http_status: what was sent already; by default what the error is answered with."""
        status = http_status or _status(error)
        if not 400 <= status < 500:
            self._complaints.tell("release_failed", endpoint=self._route.endpoint, release=arm.release, error=error)
        self._keep(
            arm,
            "error",
            error_type=_name(error),
            http_status=status,
            is_fault_of_caller=_is_fault_of_caller(error),
        )

    def cancelled(self, arm: Arm, reason: str) -> None:
        """Nobody takes the answer any more, or the gateway stops."""
        self._keep(arm, "cancelled", error_type=reason, http_status=CLIENT_CLOSED)

    def shed(self, arm: Arm, error: OpsloopError) -> None:
        """The gateway was full, or the caller has used what it may: the arm was not asked."""
        self._keep(arm, "shed", error_type=_name(error), http_status=_status(error))

    def _keep(self, arm: Arm, status: Status, *, is_fault_of_caller: bool = False, **facts: Any) -> None:
        if self._is_kept:
            return
        self._is_kept = True
        self._tell_span(arm, status, facts)
        if self._shielded is not None:
            self._keep_shielded(self._shielded, is_fault_of_caller)
        self._recorder.record(
            RequestRecord(
                id=self._ids.new(),
                request_id=self._request_id,
                endpoint=self._route.endpoint,
                release=arm.release,
                arm=arm.name,
                rollout=self._route.rollout if self._shielded is None else None,
                candidate_share=self._route.candidate_share,
                subject=self._subject,
                started_at=self._started_at,
                duration_ms=self._duration_ms(),
                status=status,
                streamed=self._streamed,
                hits=self._hits(arm),
                api_key=self._key,
                calls=self.tab.take(),
                **facts,
            )
        )

    def _tell_span(self, arm: Arm, status: Status, facts: Mapping[str, Any]) -> None:
        span = collecting.current()
        if span is None:
            return
        http_status = facts.get("http_status", 200)
        span.set_attribute("opsloop.endpoint", self._route.endpoint)
        span.set_attribute("opsloop.release", arm.release)
        span.set_attribute("opsloop.arm", arm.name)
        span.set_attribute("http.response.status_code", http_status)
        if facts.get("error_type"):
            span.set_attribute("error.type", facts["error_type"])
        # A wrong request is no error of the server's. Source: OpenTelemetry semantic conventions, HTTP server span.
        if self._shielded is not None or (status in ("error", "shed") and not 400 <= http_status < 500):
            span.set_status(StatusCode.ERROR)

    def _keep_shielded(self, failure: _Failure, is_fault_of_caller: bool) -> None:
        is_candidates_own = _is_fault_of_caller(failure.error) and not is_fault_of_caller
        self._recorder.record(
            RequestRecord(
                id=self._ids.new(),
                request_id=f"{self._request_id}~candidate",
                endpoint=self._route.endpoint,
                release=failure.arm.release,
                arm=failure.arm.name,
                rollout=self._route.rollout,
                candidate_share=self._route.candidate_share,
                subject=self._subject,
                started_at=self._started_at,
                duration_ms=failure.duration_ms,
                status="error",
                error_type=_name(failure.error),
                http_status=500 if is_candidates_own else _status(failure.error),
                shielded=True,
                streamed=self._streamed,
                hits=self._hits(failure.arm),
                api_key=self._key,
                calls=failure.calls,
            )
        )

    def _hits(self, arm: Arm) -> tuple[Hit, ...]:
        guard = self._guards.get(arm.name)
        return guard.hits if guard is not None else ()

    def _duration_ms(self) -> float:
        return (self._clock.monotonic_s() - self._started_s) * 1000


def _is_fault_of_caller(error: Exception) -> bool:
    return isinstance(error, OpsloopError) and error.kind in _FAULTS_OF_CALLER


def _status(error: Exception) -> int:
    return status_of(error) if isinstance(error, OpsloopError) else 500


def _name(error: Exception) -> str:
    return type(error).__name__
