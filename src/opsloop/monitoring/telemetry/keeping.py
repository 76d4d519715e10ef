"""Traces of this platform's own requests: which are kept, and how they get into the database, off the hot path."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from opentelemetry.context import attach, detach
from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context

from opsloop._version import __version__
from opsloop.core.caller import system
from opsloop.core.clock import Clock
from opsloop.core.db.database import DatabaseCorrupt
from opsloop.core.errors import Unavailable
from opsloop.core.telemetry import collecting, tracing
from opsloop.core.telemetry.collecting import Collected, CollectedSpan
from opsloop.core.telemetry.trouble import Trouble
from opsloop.core.workspace import Workspace
from opsloop.monitoring import metrics
from opsloop.monitoring.telemetry import storing
from opsloop.monitoring.telemetry.models import (
    SpanContent,
    SpanEvent,
    SpanLink,
    SpanRecord,
    SpanStatus,
)
from opsloop.monitoring.telemetry.models import (
    SpanKind as Kind,
)
from opsloop.monitoring.telemetry.settings import TelemetrySettings

log = structlog.get_logger()
BY = system("monitoring")
MOST_WAITING = 20_000
"""Spans that wait for the database; further traces are dropped and counted."""
BATCH_SPANS = 2_000
FLUSH_S = 0.5
RETRY_S = 2.0
_KINDS: dict[SpanKind, Kind] = {
    SpanKind.INTERNAL: "internal",
    SpanKind.SERVER: "server",
    SpanKind.CLIENT: "client",
    SpanKind.PRODUCER: "producer",
    SpanKind.CONSUMER: "consumer",
}
_STATUSES: dict[StatusCode, SpanStatus] = {
    StatusCode.UNSET: "unset",
    StatusCode.OK: "ok",
    StatusCode.ERROR: "error",
}


class Allowance:
    """So many a second, and as many at once after a pause: a token bucket."""

    def __init__(self, clock: Clock, per_s: float) -> None:
        self._clock = clock
        self._per_s = per_s
        self._left = self._most = max(1.0, per_s)
        self._at_s = clock.monotonic_s()

    def take(self) -> bool:
        now_s = self._clock.monotonic_s()
        self._left = min(self._most, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Keeping:
    """The queue of traces and the thread that empties it. `begin` and `end` are called on the loop."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._settings = workspace.section(TelemetrySettings)
        self._allowance = Allowance(workspace.clock, self._settings.traces_per_s)
        self._resource = storing.resource_of({"service.name": "opsloop", "service.version": __version__})
        self._waiting: deque[Collected] = deque()
        self._waiting_spans = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._something = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, name: str, traceparent: str | None) -> CollectedSpan:
        """The span of a request that has come. The caller's decision to sample is honoured."""
        parent = collecting.parent_in(traceparent)
        sampled = parent.trace_flags.sampled if parent.is_valid else self._is_drawn()
        return collecting.begin(name, parent, sampled=sampled)

    def end(self, span: CollectedSpan) -> None:
        """The request has ended: keep its trace if it is sampled, failed or slow."""
        span.end()
        collected = span.collected
        took_ms = ((span.ended_ns or span.started_ns) - span.started_ns) / 1e6
        if collected.is_sampled or took_ms >= self._settings.traces_slow_ms or _has_error(collected):
            self._keep(collected)

    @contextmanager
    def traced(self, name: str, traceparent: str | None, request_id: str) -> Iterator[CollectedSpan]:
        """A POST that is no endpoint's: its span is current within the block, and kept as any."""
        span = self.begin(name, traceparent)
        span.set_attribute("opsloop.request_id", request_id)
        span.set_attribute("http.request.method", "POST")
        token = attach(set_span_in_context(span))
        try:
            yield span
        except Exception:
            span.set_status(StatusCode.ERROR)
            raise
        finally:
            detach(token)
            self.end(span)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Store what waits."""
        self._stopping.set()
        self._something.set()
        if self._thread is not None:
            self._thread.join()
        with Trouble("traces_not_stored").told():
            self.flush()

    def flush(self) -> None:
        """Store everything that waits. Raises: Unavailable, DatabaseCorrupt; what was not stored waits on."""
        while batch := self._taken():
            found = [record for collected in batch for record in self._records(collected)]
            try:
                with self._workspace.writing(BY) as uow:
                    storing.spans(uow, found)
            except (Unavailable, DatabaseCorrupt):
                with self._lock:
                    self._waiting.extendleft(reversed(batch))
                    self._waiting_spans += sum(len(each.spans) for each in batch)
                raise
            except Exception:  # what one of them has must not hold up those that come
                metrics.lost_traces.inc(len(batch))
                raise

    def _is_drawn(self) -> bool:
        share = self._settings.traces_sample_share
        # No secret depends on it.
        return share > 0 and (share >= 1 or random.random() < share) and self._allowance.take()  # noqa: S311

    def _keep(self, collected: Collected) -> None:
        tracing.send_on(collected.spans)
        with self._lock:
            is_full = self._waiting_spans >= MOST_WAITING
            if not is_full:
                self._waiting.append(collected)
                self._waiting_spans += len(collected.spans)
        if is_full:
            metrics.lost_traces.inc()
        elif not self._something.is_set():
            self._something.set()

    def _taken(self) -> list[Collected]:
        batch: list[Collected] = []
        count = 0
        with self._lock:
            while self._waiting and count < BATCH_SPANS:
                batch.append(self._waiting.popleft())
                count += len(batch[-1].spans)
            self._waiting_spans -= count
        return batch

    def _run(self) -> None:
        trouble = Trouble("traces_not_stored")
        while not self._stopping.is_set():
            self._something.wait()
            self._stopping.wait(FLUSH_S)
            self._something.clear()
            with trouble.told():
                self.flush()
            if self._waiting and not self._stopping.wait(RETRY_S):
                self._something.set()

    def _records(self, collected: Collected) -> list[SpanRecord]:
        return [self._record(each) for each in collected.spans]

    def _record(self, span: CollectedSpan) -> SpanRecord:
        context = span.context
        return SpanRecord(
            trace_id=f"{context.trace_id:032x}",
            span_id=f"{context.span_id:016x}",
            parent_id=None if span.parent_id is None else f"{span.parent_id:016x}",
            name=str(_plain(span.name[:255])),
            kind=_KINDS[span.kind],
            resource=self._resource,
            started_us=span.started_ns // 1000,
            duration_us=max(0, (span.ended_ns or span.started_ns) - span.started_ns) // 1000,
            status=_STATUSES[span.status],
            content=SpanContent(
                attributes={str(_plain(key)): _plain(value) for key, value in span.attributes.items()},
                events=tuple(
                    SpanEvent(name, at_ns // 1000, {str(_plain(key)): _plain(value) for key, value in own.items()})
                    for name, at_ns, own in span.events
                ),
                links=tuple(
                    SpanLink(f"{each.context.trace_id:032x}", f"{each.context.span_id:016x}") for each in span.links
                ),
                scope="opsloop",
                message=str(_plain(span.message)),
                dropped=span.dropped,
            ),
        )


def _has_error(collected: Collected) -> bool:
    return any(each.status is StatusCode.ERROR for each in collected.spans)


def _plain(value: object) -> object:
    """A value that stands in JSON: users' code may set any."""
    if isinstance(value, bool | int) and abs(value) < 2**63:
        return value
    if isinstance(value, float) and abs(value) < float("inf"):
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value[:128]]
    text = str(value).replace("\0", "\N{REPLACEMENT CHARACTER}")
    return (text if len(text) <= 8_192 else text[:8_191] + "…").encode("utf-8", "replace").decode()
