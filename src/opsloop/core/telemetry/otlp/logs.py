"""Log lines as an ExportLogsServiceRequest: the event is the body, fields are attributes, the span is named."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from structlog.typing import Processor

from opsloop.core.telemetry import collecting
from opsloop.core.telemetry.otlp.values import MOST_VALUES, SCOPE, put, put_resource, text

# Source: OpenTelemetry specification, Logs Data Model, SeverityNumber.
SEVERITIES = {"debug": 5, "info": 9, "warning": 13, "warn": 13, "error": 17, "exception": 17, "critical": 21}
_NO_FIELDS = frozenset({"event", "level", "timestamp", "exception"})


@dataclass(frozen=True, slots=True)
class Line:
    at_ns: int
    level: str
    event: str
    fields: Mapping[str, object]
    span: tuple[int, int] | None
    """Ids of its trace and of its span."""


def taking(offer: Callable[[Sequence[Line]], None]) -> Processor:
    """A processor of structlog that passes lines on and changes nothing; it stands after what redacts them."""

    def take(logger: object, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        span = collecting.current()
        fields: dict[str, object] = {
            str(name): value if isinstance(value, bool | int | float) else text(value)
            for name, value in list(line.items())[:MOST_VALUES]
            if name not in _NO_FIELDS and not str(name).startswith("_")
        }
        if "exception" in line:  # semantic conventions, exceptions in logs
            fields["exception.stacktrace"] = text(line["exception"])
        ids = None if span is None else (span.context.trace_id, span.context.span_id)
        offer([Line(time.time_ns(), str(line.get("level", method)), text(line.get("event", "")), fields, ids)])
        return line

    return take


def message(lines: Sequence[Line]) -> Any:
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest  # with the first

    request = ExportLogsServiceRequest()
    of_resource = request.resource_logs.add()
    put_resource(of_resource.resource)
    scope = of_resource.scope_logs.add()
    scope.scope.name = SCOPE
    for each in lines:
        record = scope.log_records.add(
            time_unix_nano=each.at_ns,
            observed_time_unix_nano=each.at_ns,
            severity_number=SEVERITIES.get(each.level, 0),
            severity_text=each.level.upper(),
        )
        record.body.string_value = each.event
        put(record.attributes, each.fields)
        if each.span is not None:
            record.trace_id, record.span_id = each.span[0].to_bytes(16, "big"), each.span[1].to_bytes(8, "big")
    return request
