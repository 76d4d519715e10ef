"""Collected spans as an ExportTraceServiceRequest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.trace import StatusCode

from opsloop.core.telemetry.collecting import CollectedSpan
from opsloop.core.telemetry.otlp.values import SCOPE, put, put_resource, text

_STATUSES = {StatusCode.UNSET: 0, StatusCode.OK: 1, StatusCode.ERROR: 2}


def message(spans: Sequence[CollectedSpan]) -> Any:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # with the first

    request = ExportTraceServiceRequest()
    of_resource = request.resource_spans.add()
    put_resource(of_resource.resource)
    scope = of_resource.scope_spans.add()
    scope.scope.name = SCOPE
    for each in spans:
        _add(scope.spans.add(), each)
    return request


def _add(span: Any, each: CollectedSpan) -> None:
    span.trace_id = each.context.trace_id.to_bytes(16, "big")
    span.span_id = each.context.span_id.to_bytes(8, "big")
    if each.parent_id is not None:
        span.parent_span_id = each.parent_id.to_bytes(8, "big")
    # OTLP counts kinds from unspecified, the API from internal.
    span.name, span.kind = text(each.name), each.kind.value + 1
    span.start_time_unix_nano = each.started_ns
    span.end_time_unix_nano = max(each.ended_ns or each.started_ns, each.started_ns)
    span.status.code, span.status.message = _STATUSES[each.status], text(each.message)
    span.dropped_attributes_count = each.dropped
    put(span.attributes, each.attributes)
    for name, at_ns, attributes in each.events:
        put(span.events.add(name=text(name), time_unix_nano=at_ns).attributes, attributes)
    for link in each.links:
        added = span.links.add(
            trace_id=link.context.trace_id.to_bytes(16, "big"), span_id=link.context.span_id.to_bytes(8, "big")
        )
        put(added.attributes, link.attributes or {})
