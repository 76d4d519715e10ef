"""The nouns of telemetry: spans and traces made of them, log records, metric points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

SpanStatus = Literal["unset", "ok", "error"]
SpanKind = Literal["internal", "server", "client", "producer", "consumer"]


class Resource(msgspec.Struct, frozen=True):
    """What sent telemetry. Args: id: hash of the rest; service: its `service.name`."""

    id: str
    service: str
    attributes: Mapping[str, Any]


class SpanEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    at_us: int
    attributes: Mapping[str, Any] = {}


class SpanLink(msgspec.Struct, frozen=True, omit_defaults=True):
    trace_id: str
    span_id: str
    attributes: Mapping[str, Any] = {}


class SpanContent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Args: message: of the status; dropped: attributes, events and links left out here or by the sender."""

    attributes: Mapping[str, Any] = {}
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()
    scope: str = ""
    message: str = ""
    dropped: int = 0


class SpanRecord(msgspec.Struct, frozen=True):
    """A span that has ended. Ids are lower-case hex, times microseconds since 1970 UTC."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: SpanKind
    resource: Resource
    started_us: int
    duration_us: int
    status: SpanStatus
    content: SpanContent


class LogRecord(msgspec.Struct, frozen=True):
    """Args: severity: OpenTelemetry's number, 1 to 24; 0 when unknown."""

    at_us: int
    resource: Resource
    severity: int
    severity_text: str
    trace_id: str | None
    span_id: str | None
    body: str
    attributes: Mapping[str, Any]


class Series(msgspec.Struct, frozen=True):
    """Args: id: hash of resource, name, unit, kind and attributes; kind: gauge, sum, histogram or summary, with how
    sums are to be read: `sum cumulative`, `sum delta`."""

    id: str
    resource: Resource
    name: str
    unit: str
    kind: str
    description: str
    attributes: Mapping[str, Any]


class Point(msgspec.Struct, frozen=True):
    series: Series
    at_us: int
    value: float
    count: int | None = None
    content: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A span as it is shown. `start_ms` counts from the trace's start."""

    span_id: str
    parent_id: str | None
    name: str
    kind: str
    service: str
    start_ms: float
    duration_ms: float
    status: str
    attributes: Mapping[str, Any]
    events: tuple[Mapping[str, Any], ...]
    links: tuple[Mapping[str, Any], ...]
    scope: str
    message: str
    dropped: int
    resource: str


@dataclass(frozen=True, slots=True)
class TraceLine:
    """A trace in a list. `root` is the id of the span that has no parent, None while it has not arrived."""

    trace_id: str
    started_at: datetime
    duration_ms: float
    name: str
    service: str
    endpoint: str | None
    release: str | None
    request_id: str | None
    root: str | None
    spans: int
    errors: int
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True, slots=True)
class Trace:
    """One trace with its spans in the order of their start; `next` is where the rest of a long one begins.

    `resources` holds what sent the spans, by the id they name.
    """

    line: TraceLine
    spans: tuple[Span, ...]
    resources: Mapping[str, Mapping[str, Any]]
    next: int | None
