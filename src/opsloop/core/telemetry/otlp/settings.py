"""Where telemetry goes, by the names that OpenTelemetry gives these settings, or by ours.

Source: OpenTelemetry specification, "OpenTelemetry Protocol Exporter" and "Environment Variable Specification".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

from pydantic import AliasChoices, Field

from opsloop.core.settings import Section


class Signal(StrEnum):
    TRACES = "traces"
    LOGS = "logs"
    METRICS = "metrics"


def _setting(name: str, standard: str, description: str, default: Any = None, **more: Any) -> Any:
    names = AliasChoices(f"OPSLOOP_{name.upper()}", standard, name)
    return Field(default, validation_alias=names, description=description, **more)


class OtlpSettings(Section):
    otlp_endpoint: str | None = _setting(
        "otlp_endpoint",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTLP/HTTP collector that traces, log lines and metrics go to, as a base URL.",
    )
    otlp_traces_endpoint: str | None = _setting(
        "otlp_traces_endpoint", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "Where traces go instead, as a whole URL."
    )
    otlp_logs_endpoint: str | None = _setting(
        "otlp_logs_endpoint", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "Where log lines go instead, as a whole URL."
    )
    otlp_metrics_endpoint: str | None = _setting(
        "otlp_metrics_endpoint", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "Where metrics go instead, as a whole URL."
    )
    otlp_headers: str | None = _setting(
        "otlp_headers",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "Headers for the OTLP collector, such as its key, as name=value,name=value.",
        repr=False,
    )
    otlp_metric_interval_ms: float = _setting(
        "otlp_metric_interval_ms",
        "OTEL_METRIC_EXPORT_INTERVAL",
        "Time between two exports of all metrics, in milliseconds.",
        60_000,
        ge=100,
    )
    otlp_timeout_ms: float = _setting(
        "otlp_timeout_ms",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "Longest wait for the collector's answer to a batch, in milliseconds.",
        10_000,
        gt=0,
    )


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a signal goes. Headers may hold a key."""

    signal: Signal
    url: str
    headers: dict[str, str]
    timeout_s: float

    def __repr__(self) -> str:
        return f"Destination({self.signal.value!r})"


def destination(settings: OtlpSettings, signal: Signal) -> Destination | None:
    """None where nothing is named for the signal."""
    own: str | None = getattr(settings, f"otlp_{signal.value}_endpoint")
    base = settings.otlp_endpoint
    url = own or (f"{base.rstrip('/')}/v1/{signal.value}" if base else None)
    if not url:
        return None
    return Destination(signal, url, _headers(settings.otlp_headers), settings.otlp_timeout_ms / 1000)


def _headers(given: str | None) -> dict[str, str]:
    """`name=value,name=value`; values may be percent-encoded, as in a W3C baggage header."""
    pairs = (each.partition("=") for each in (given or "").split(",") if "=" in each)
    return {name.strip(): unquote(value.strip()) for name, _, value in pairs}
