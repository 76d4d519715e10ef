"""Where telemetry goes, by the names that OpenTelemetry gives these settings, or by ours.

Source: OpenTelemetry specification, "OpenTelemetry Protocol Exporter" and "Environment Variable Specification". What is
said of a signal goes before what is said of all, whole: headers are not put together.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field

from opsloop.core.settings import Section


class Signal(StrEnum):
    TRACES = "traces"
    LOGS = "logs"
    METRICS = "metrics"


def _setting(name: str, standard: str, description: str, default: Any = None, **more: Any) -> Any:
    names = AliasChoices(f"OPSLOOP_{name.upper()}", standard, name)
    return Field(default, validation_alias=names, description=description, **more)


def _otlp(name: str, description: str, default: Any = None, **more: Any) -> Any:
    """A setting whose standard name is ours with another beginning."""
    return _setting(name, f"OTEL_EXPORTER_{name.removesuffix('_ms').upper()}", description, default, **more)


def _is_true(given: object) -> object:
    """Source: the specification's boolean values: what is not `true`, in letters of any size, is false."""
    return given.strip().lower() == "true" if isinstance(given, str) else given


class OtlpSettings(Section):
    otlp_disabled: Annotated[bool, BeforeValidator(_is_true)] = _setting(
        "otlp_disabled", "OTEL_SDK_DISABLED", "true: nothing leaves by OTLP, whatever else is set.", False
    )
    otlp_endpoint: str | None = _otlp(
        "otlp_endpoint", "OTLP/HTTP collector that traces, log lines and metrics go to, as a base URL."
    )
    otlp_traces_endpoint: str | None = _otlp("otlp_traces_endpoint", "Where traces go instead, as a whole URL.")
    otlp_logs_endpoint: str | None = _otlp("otlp_logs_endpoint", "Where log lines go instead, as a whole URL.")
    otlp_metrics_endpoint: str | None = _otlp("otlp_metrics_endpoint", "Where metrics go instead, as a whole URL.")
    otlp_headers: str | None = _otlp(
        "otlp_headers", "Headers for the OTLP collector, such as its key, as name=value,name=value.", repr=False
    )
    otlp_traces_headers: str | None = _otlp("otlp_traces_headers", "Headers for traces instead.", repr=False)
    otlp_logs_headers: str | None = _otlp("otlp_logs_headers", "Headers for log lines instead.", repr=False)
    otlp_metrics_headers: str | None = _otlp("otlp_metrics_headers", "Headers for metrics instead.", repr=False)
    otlp_certificate: str | None = _otlp(
        "otlp_certificate", "PEM file of the certificates that the collector's own must descend from."
    )
    otlp_traces_certificate: str | None = _otlp("otlp_traces_certificate", "The same file for traces.")
    otlp_logs_certificate: str | None = _otlp("otlp_logs_certificate", "The same file for log lines.")
    otlp_metrics_certificate: str | None = _otlp("otlp_metrics_certificate", "The same file for metrics.")
    otlp_client_certificate: str | None = _otlp(
        "otlp_client_certificate", "PEM file of the certificate that is shown to the collector (mutual TLS)."
    )
    otlp_traces_client_certificate: str | None = _otlp("otlp_traces_client_certificate", "The same file for traces.")
    otlp_logs_client_certificate: str | None = _otlp("otlp_logs_client_certificate", "The same file for log lines.")
    otlp_metrics_client_certificate: str | None = _otlp("otlp_metrics_client_certificate", "The same file for metrics.")
    otlp_client_key: str | None = _otlp("otlp_client_key", "PEM file of the private key of that certificate.")
    otlp_traces_client_key: str | None = _otlp("otlp_traces_client_key", "The same file for traces.")
    otlp_logs_client_key: str | None = _otlp("otlp_logs_client_key", "The same file for log lines.")
    otlp_metrics_client_key: str | None = _otlp("otlp_metrics_client_key", "The same file for metrics.")
    otlp_metric_interval_ms: float = _setting(
        "otlp_metric_interval_ms",
        "OTEL_METRIC_EXPORT_INTERVAL",
        "Time between two exports of all metrics, in milliseconds.",
        60_000,
        ge=100,
    )
    otlp_timeout_ms: float = _otlp(
        "otlp_timeout_ms", "Longest wait for the collector's answer to a batch, in milliseconds.", 10_000, gt=0
    )
    otlp_traces_timeout_ms: float | None = _otlp("otlp_traces_timeout_ms", "The same for traces.", gt=0)
    otlp_logs_timeout_ms: float | None = _otlp("otlp_logs_timeout_ms", "The same for log lines.", gt=0)
    otlp_metrics_timeout_ms: float | None = _otlp("otlp_metrics_timeout_ms", "The same for metrics.", gt=0)

    def of(self, signal: Signal, what: str) -> Any:
        """A setting as it holds for a signal; an empty one is as none."""
        return getattr(self, f"otlp_{signal.value}_{what}") or getattr(self, f"otlp_{what}")
