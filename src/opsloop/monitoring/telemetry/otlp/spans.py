"""Spans of a request of the protocol."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from opsloop.monitoring.telemetry.models import (
    Resource,
    SpanContent,
    SpanEvent,
    SpanKind,
    SpanLink,
    SpanRecord,
    SpanStatus,
)
from opsloop.monitoring.telemetry.otlp.rejecting import Rejected
from opsloop.monitoring.telemetry.otlp.values import NAME_CHARS, attributes, text
from opsloop.monitoring.telemetry.storing import resource_of

KINDS: tuple[SpanKind, ...] = ("internal", "internal", "server", "client", "producer", "consumer")
STATUSES: tuple[SpanStatus, ...] = ("unset", "ok", "error")
MOST_EVENTS = 128
MOST_LINKS = 128
LATEST_NS = 2**62
_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)


def records(request: Any, rejected: Rejected) -> list[SpanRecord]:
    """The spans that can be stored. Args: request: an ExportTraceServiceRequest."""
    found = []
    for of_resource in request.resource_spans:
        resource = resource_sent(of_resource.resource)
        for of_scope in of_resource.scope_spans:
            scope = text(of_scope.scope.name, NAME_CHARS)
            for span in of_scope.spans:
                fault = _fault(span)
                if fault is None:
                    found.append(_record(span, resource, scope))
                else:
                    rejected.add(fault)
    return found


def resource_sent(given: Any) -> Resource:
    return _resource_of(given.SerializeToString(deterministic=True))


@lru_cache(512)
def _resource_of(serialized: bytes) -> Resource:
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource as Sent  # protobuf, loaded with the first request

    sent = Sent.FromString(serialized)
    return resource_of(attributes(sent.attributes)[0])


def _fault(span: Any) -> str | None:
    if len(span.trace_id) != 16 or span.trace_id == _NO_TRACE:
        return f"span {text(span.name, 80)!r}: trace_id has {len(span.trace_id)} bytes; wanted 16, not all zero"
    if len(span.span_id) != 8 or span.span_id == _NO_SPAN:
        return f"span {text(span.name, 80)!r}: span_id has {len(span.span_id)} bytes; wanted 8, not all zero"
    if len(span.parent_span_id) not in (0, 8):
        return f"span {text(span.name, 80)!r}: parent_span_id has {len(span.parent_span_id)} bytes; wanted 8 or none"
    if not 0 < span.start_time_unix_nano < LATEST_NS or span.end_time_unix_nano >= LATEST_NS:
        return f"span {text(span.name, 80)!r}: start and end; wanted nanoseconds since 1970"
    return None


def _record(span: Any, resource: Resource, scope: str) -> SpanRecord:
    own, dropped = attributes(span.attributes)
    events, links = span.events, span.links
    dropped += span.dropped_attributes_count + span.dropped_events_count + span.dropped_links_count
    dropped += max(0, len(events) - MOST_EVENTS) + max(0, len(links) - MOST_LINKS)
    status, kind, start_ns = span.status, span.kind, span.start_time_unix_nano
    parent = span.parent_span_id
    return SpanRecord(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=parent.hex() if parent and parent != _NO_SPAN else None,
        name=text(span.name, NAME_CHARS) or "unnamed",
        kind=KINDS[kind] if 0 <= kind < len(KINDS) else "internal",
        resource=resource,
        started_us=start_ns // 1000,
        # A clock that was set back in between: it took no time, as far as is known.
        duration_us=max(0, span.end_time_unix_nano - start_ns) // 1000,
        status=STATUSES[status.code] if 0 <= status.code < len(STATUSES) else "unset",
        content=SpanContent(
            attributes=own,
            events=tuple(_event(each) for each in events[:MOST_EVENTS]) if events else (),
            links=tuple(_link(each) for each in links[:MOST_LINKS]) if links else (),
            scope=scope,
            message=text(status.message) if status.message else "",
            dropped=dropped,
        ),
    )


def _event(event: Any) -> SpanEvent:
    at_ns = min(event.time_unix_nano, LATEST_NS)
    return SpanEvent(text(event.name, NAME_CHARS), at_ns // 1000, attributes(event.attributes)[0])


def _link(link: Any) -> SpanLink:
    return SpanLink(link.trace_id[:16].hex(), link.span_id[:8].hex(), attributes(link.attributes)[0])
