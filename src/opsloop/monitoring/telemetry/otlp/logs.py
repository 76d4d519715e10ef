"""Log records of a request of the protocol."""

from __future__ import annotations

from typing import Any

from opsloop.monitoring.telemetry.models import LogRecord, Resource
from opsloop.monitoring.telemetry.otlp.rejecting import Rejected
from opsloop.monitoring.telemetry.otlp.spans import LATEST_NS, resource_sent
from opsloop.monitoring.telemetry.otlp.values import NAME_CHARS, attributes, text, value_of
from opsloop.monitoring.telemetry.storing import text_of

BODY_CHARS = 65_536


def records(request: Any, rejected: Rejected, *, now_us: int) -> list[LogRecord]:
    """The log records that can be stored.

    Args:
        request: an ExportLogsServiceRequest.
        now_us: the time of those without one.
    """
    found = []
    for of_resource in request.resource_logs:
        resource = resource_sent(of_resource.resource)
        for of_scope in of_resource.scope_logs:
            for record in of_scope.log_records:
                at_ns = record.time_unix_nano or record.observed_time_unix_nano or now_us * 1000
                if at_ns >= LATEST_NS:
                    rejected.add(f"a log record: time_unix_nano is {at_ns}; wanted nanoseconds since 1970")
                else:
                    found.append(_record(record, resource, at_ns // 1000))
    return found


def _record(record: Any, resource: Resource, at_us: int) -> LogRecord:
    body = value_of(record.body)
    found = attributes(record.attributes)[0]
    if record.event_name:
        found.setdefault("event.name", text(record.event_name, NAME_CHARS))
    return LogRecord(
        at_us=at_us,
        resource=resource,
        severity=record.severity_number if 0 <= record.severity_number <= 24 else 0,
        severity_text=text(record.severity_text, 40),
        trace_id=record.trace_id.hex() if len(record.trace_id) == 16 and any(record.trace_id) else None,
        span_id=record.span_id.hex() if len(record.span_id) == 8 and any(record.span_id) else None,
        body=text(body if isinstance(body, str) else "" if body is None else text_of(body), BODY_CHARS),
        attributes=found,
    )
