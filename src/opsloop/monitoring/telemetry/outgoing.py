"""Spans that leave by OTLP: to the collector that is named, gzipped, tried again within a bound, never waited for."""

from __future__ import annotations

import gzip
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

import structlog

from opsloop.monitoring.telemetry.models import Resource, SpanRecord
from opsloop.monitoring.telemetry.settings import TelemetrySettings

log = structlog.get_logger()
MOST_BATCHES = 64
TRIES = 4
FIRST_WAIT_S = 0.5
TIMEOUT_S = 10.0
RETRYABLE = frozenset({429, 502, 503, 504})
"""Source: OTLP specification, OTLP/HTTP response, retryable response codes."""
_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_STATUSES = {"unset": 0, "ok": 1, "error": 2}


class Outgoing:
    """Args: endpoint: the collector's base URL, e.g. `http://collector:4318`."""

    def __init__(self, endpoint: str, settings: TelemetrySettings) -> None:
        self._url = f"{endpoint.rstrip('/')}/v1/traces"
        self._headers = _headers(settings.otlp_headers)
        self._waiting: queue.Queue[Sequence[SpanRecord] | None] = queue.Queue(MOST_BATCHES)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otlp-out", daemon=True)
        self._is_told = False
        self.lost = 0

    def offer(self, records: Sequence[SpanRecord]) -> None:
        """Send these soon; when too many wait already they are dropped, which is told once."""
        try:
            self._waiting.put_nowait(records)
        except queue.Full:
            self._lose(records, "too many wait")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Send what waits, each batch once."""
        self._stopping.set()
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            self._waiting.get_nowait()
            self._waiting.put_nowait(None)
        self._thread.join(TIMEOUT_S)

    def _run(self) -> None:
        while (records := self._waiting.get()) is not None:
            try:
                self._send(records)
            except Exception:  # the rim of a thread: the next batch may go well
                log.exception("spans_not_sent")

    def _send(self, records: Sequence[SpanRecord]) -> None:
        body = gzip.compress(message(records).SerializeToString(), 1, mtime=0)
        reason = ""
        for number in range(TRIES):
            reason, is_final = self._sent(body)
            if not reason:
                if self._is_told:
                    self._is_told = False
                    log.info("spans_sent_again")
                return
            if is_final or self._stopping.is_set() or number == TRIES - 1:
                break
            self._stopping.wait(FIRST_WAIT_S * 2**number)
        self._lose(records, reason)

    def _sent(self, body: bytes) -> tuple[str, bool]:
        """What went wrong, empty when nothing did; whether trying again is of no use."""
        headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip", **self._headers}
        request = urllib.request.Request(self._url, data=body, headers=headers, method="POST")  # noqa: S310 (as set)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
                answer.read()
                return "", True
        except urllib.error.HTTPError as error:
            error.close()
            return f"the collector answers with status {error.code}", error.code not in RETRYABLE
        except (OSError, ValueError) as error:
            return str(error), False

    def _lose(self, records: Sequence[SpanRecord], reason: str) -> None:
        self.lost += len(records)
        if not self._is_told:  # once, not at every batch
            self._is_told = True
            log.warning("spans_not_sent", url=self._url, reason=reason, spans=len(records))


def message(records: Sequence[SpanRecord]) -> Any:
    """An ExportTraceServiceRequest of spans."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # with the first

    request = ExportTraceServiceRequest()
    scopes: dict[str, Any] = {}
    for each in records:
        if each.resource.id not in scopes:
            scopes[each.resource.id] = _of_resource(request, each.resource)
        _add(scopes[each.resource.id].spans.add(), each)
    return request


def _of_resource(request: Any, resource: Resource) -> Any:
    of_resource = request.resource_spans.add()
    _set(of_resource.resource.attributes, resource.attributes)
    scope = of_resource.scope_spans.add()
    scope.scope.name = "opsloop"
    return scope


def _add(span: Any, each: SpanRecord) -> None:
    span.trace_id, span.span_id = bytes.fromhex(each.trace_id), bytes.fromhex(each.span_id)
    span.parent_span_id = bytes.fromhex(each.parent_id or "")
    span.name, span.kind = each.name, _KINDS[each.kind]
    span.start_time_unix_nano = each.started_us * 1000
    span.end_time_unix_nano = (each.started_us + each.duration_us) * 1000
    span.status.code, span.status.message = _STATUSES[each.status], each.content.message
    _set(span.attributes, each.content.attributes)
    for event in each.content.events:
        added = span.events.add(name=event.name, time_unix_nano=event.at_us * 1000)
        _set(added.attributes, event.attributes)


def _set(attributes: Any, values: Any) -> None:
    for key, value in values.items():
        _put(attributes.add(key=key).value, value)


def _put(target: Any, value: object) -> None:
    if isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int):
        target.int_value = value
    elif isinstance(value, float):
        target.double_value = value
    elif isinstance(value, list):
        target.array_value.SetInParent()
        for each in value:
            _put(target.array_value.values.add(), each)
    else:
        target.string_value = str(value)


def _headers(given: str | None) -> dict[str, str]:
    """`name=value,name=value`, as OTEL_EXPORTER_OTLP_HEADERS has them."""
    pairs = (each.partition("=") for each in (given or "").split(",") if "=" in each)
    return {name.strip(): value.strip() for name, _, value in pairs}
