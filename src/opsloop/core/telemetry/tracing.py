"""Spans of whoever asks OpenTelemetry's API for a tracer: collected, and sent on where a collector is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, INVALID_SPAN_CONTEXT, Link, Span, SpanKind, Tracer, TracerProvider

from opsloop.core.telemetry.collecting import Collected, CollectedSpan, new_id

Export = Callable[[Sequence[CollectedSpan]], None]


class Tracing(TracerProvider):
    """Args: export: takes the spans of a trace when its first has ended; None: nothing is recorded."""

    def __init__(self, export: Export | None) -> None:
        self.export = export

    def get_tracer(self, *_: Any, **__: Any) -> Tracer:
        return _Tracer(self)


_provider: Tracing | None = None


def install(export: Export | None) -> None:
    """Have spans of this process leave by a function; None ends that."""
    global _provider
    if _provider is not None:
        _provider.export = export
    elif export is not None:
        _provider = Tracing(export)
        trace.set_tracer_provider(_provider)


def send_on(spans: Sequence[CollectedSpan]) -> None:
    """Spans of a request that has ended, to where they leave for, if anywhere."""
    if _provider is not None and _provider.export is not None:
        _provider.export(spans)


class _Tracer(Tracer):
    def __init__(self, provider: Tracing) -> None:
        self._provider = provider

    def start_span(
        self,
        name: str,
        context: Any = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Any = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        parent = trace.get_current_span(context)
        span: CollectedSpan
        if isinstance(parent, CollectedSpan):
            span = CollectedSpan(parent.collected, name, kind, parent.context.span_id)
        elif self._provider.export is None:
            return INVALID_SPAN
        else:
            above = parent.get_span_context()
            of = above if above.is_valid else INVALID_SPAN_CONTEXT
            collected = Collected(of.trace_id if of.is_valid else new_id(128), sampled=True)
            span = _First(self._provider, collected, name, kind, of.span_id if of.is_valid else None)
        span.set_attributes(attributes or {})
        for link in links or ():
            span.add_link(link.context, link.attributes)
        span.started_ns = start_time or span.started_ns
        return span

    @contextmanager
    def start_as_current_span(self, name: str, *args: Any, **more: Any) -> Iterator[Span]:  # type: ignore[override]
        for each in ("record_exception", "set_status_on_exception"):
            more.pop(each, None)
        ends = more.pop("end_on_exit", True)
        with trace.use_span(self.start_span(name, *args, **more), end_on_exit=ends) as span:
            yield span


class _First(CollectedSpan):
    """The first span of a trace outside of requests: with its end all leave."""

    __slots__ = ("_provider",)

    def __init__(self, provider: Tracing, *args: Any) -> None:
        super().__init__(*args)
        self._provider = provider

    def end(self, end_time: int | None = None) -> None:
        if self.ended_ns is None:
            super().end(end_time)
            if self._provider.export is not None:
                self._provider.export(self.collected.spans)
