"""OpenTelemetry traces: exported by OTLP when a collector is named, not recorded otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opsloop._version import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


def configure(endpoint: str | None) -> TracerProvider | None:
    """Send this process's spans to an OTLP/HTTP collector; None and no cost when `endpoint` is unset.

    Args:
        endpoint: the collector's base URL, e.g. `http://collector:4318`.
    """
    if endpoint is None:
        return None
    # Loaded only where traces are exported: the SDK and protobuf cost 30 MB of memory.
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "opsloop", "service.version": __version__}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")))
    trace.set_tracer_provider(provider)
    return provider
