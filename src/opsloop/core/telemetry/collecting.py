"""Spans of one request, collected in memory until it has ended: only then is known whether its trace is kept.

A `CollectedSpan` is a span of OpenTelemetry's API without its SDK, so code of users and of libraries that asks for the
current span finds it, and whatever it starts below becomes part of the same trace.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.trace import INVALID_SPAN_CONTEXT, Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

MOST_SPANS = 2_000
MOST_ATTRIBUTES = 128
MOST_EVENTS = 32
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class Collected:
    """The spans of a request that have ended. Args: sampled: whether the trace is kept however the request ends."""

    __slots__ = ("dropped", "flags", "is_sampled", "spans", "trace_id")

    def __init__(self, trace_id: int, *, sampled: bool) -> None:
        self.trace_id = trace_id
        self.is_sampled = sampled
        self.flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
        self.spans: list[CollectedSpan] = []
        self.dropped = 0


class CollectedSpan(Span):
    """Times are nanoseconds since 1970; used by one thread at a time."""

    __slots__ = (
        *("attributes", "collected", "context", "dropped", "ended_ns", "events", "kind", "links"),
        *("message", "name", "parent_id", "started_ns", "status"),
    )

    def __init__(self, collected: Collected, name: str, kind: SpanKind, parent_id: int | None) -> None:
        self.collected = collected
        self.name = name
        self.kind = kind
        self.parent_id = parent_id
        self.context = SpanContext(collected.trace_id, new_id(64), is_remote=False, trace_flags=collected.flags)
        self.attributes: dict[str, Any] = {}
        self.events: list[tuple[str, int, Mapping[str, Any]]] = []
        self.links: list[Link] = []
        self.status = StatusCode.UNSET
        self.message = ""
        self.dropped = 0
        self.started_ns = time.time_ns()
        self.ended_ns: int | None = None

    def end(self, end_time: int | None = None) -> None:
        if self.ended_ns is not None:
            return
        self.ended_ns = end_time or time.time_ns()
        if len(self.collected.spans) < MOST_SPANS:
            self.collected.spans.append(self)
        else:
            self.collected.dropped += 1

    def get_span_context(self) -> SpanContext:
        return self.context

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def set_attribute(self, key: str, value: Any) -> None:
        if len(self.attributes) < MOST_ATTRIBUTES or key in self.attributes:
            self.attributes[key] = value
        else:
            self.dropped += 1

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        if len(self.events) < MOST_EVENTS:
            self.events.append((name, timestamp or time.time_ns(), dict(attributes or {})))
        else:
            self.dropped += 1

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        self.links.append(Link(context, attributes))

    def update_name(self, name: str) -> None:
        self.name = name

    def is_recording(self) -> bool:
        return self.ended_ns is None

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        if isinstance(status, Status):
            self.status, self.message = status.status_code, status.description or ""
        else:
            self.status, self.message = status, description or ""

    def record_exception(
        self, exception: BaseException, attributes: Any = None, timestamp: int | None = None, escaped: bool = False
    ) -> None:
        # Only its kind: its text may hold what a user wrote.
        self.add_event("exception", {"exception.type": type(exception).__name__, **(attributes or {})}, timestamp)


def parent_in(traceparent: str | None) -> SpanContext:
    """The caller's span in a `traceparent` header; an invalid one is as none. Source: W3C Trace Context, level 1."""
    found = _TRACEPARENT.fullmatch(traceparent.strip()) if traceparent else None
    if found is None or found[1] == "ff" or (found[1] == "00" and found[5]):
        return INVALID_SPAN_CONTEXT
    flags = TraceFlags(int(found[4], 16))
    parent = SpanContext(int(found[2], 16), int(found[3], 16), is_remote=True, trace_flags=flags)
    return parent if parent.is_valid else INVALID_SPAN_CONTEXT


def begin(name: str, parent: SpanContext, *, sampled: bool) -> CollectedSpan:
    """The span of a request, with a collection of its own. Args: parent: the caller's span, or an invalid one."""
    trace_id = parent.trace_id if parent.is_valid else new_id(128)
    return CollectedSpan(
        Collected(trace_id, sampled=sampled), name, SpanKind.SERVER, parent.span_id if parent.is_valid else None
    )


def current() -> CollectedSpan | None:
    """The span of this request that is under way here."""
    found = trace.get_current_span()
    return found if isinstance(found, CollectedSpan) else None


class _Below:
    """A class, for a request has four of them: two generators each would cost as much as what they measure."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: CollectedSpan) -> None:
        self._span = span

    def __enter__(self) -> CollectedSpan:
        self._token = attach(trace.set_span_in_context(self._span))
        return self._span

    def __exit__(self, *_: object) -> None:
        detach(self._token)
        self._span.end()


def below(
    parent: CollectedSpan, name: str, kind: SpanKind = SpanKind.INTERNAL
) -> AbstractContextManager[CollectedSpan]:
    """A span below another, current within the block."""
    return _Below(CollectedSpan(parent.collected, name, kind, parent.context.span_id))


def headers() -> dict[str, str]:
    """What a request to another server says of the span it is made in: its `traceparent`."""
    span = current()
    if span is None:
        return {}
    context = span.context
    return {"traceparent": f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"}


def new_id(bits: int) -> int:
    return random.getrandbits(bits) or 1
