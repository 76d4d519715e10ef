"""What a collector says to a batch that it took: it may have left some of it.

Source: OTLP specification, "Partial Success": the answer's `partial_success` counts what was rejected, and says why;
with a count of 0 it is a warning. What was rejected is not sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from opsloop.core.telemetry.otlp.settings import Signal
from opsloop.core.telemetry.otlp.values import text

LONGEST_BYTES = 65_536
_REJECTED = {
    Signal.TRACES: "rejected_spans",
    Signal.LOGS: "rejected_log_records",
    Signal.METRICS: "rejected_data_points",
}
MOST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """Args: rejected: spans, log lines or points of metrics that it did not take; said: why, or a warning."""

    rejected: int = 0
    said: str = ""


def read(signal: Signal, body: bytes) -> Answer:
    """Of a batch that was taken; what is no answer of the protocol says nothing."""
    from google.protobuf.message import DecodeError  # with the first answer

    answer = _kind(signal)()
    try:
        answer.ParseFromString(body)
    except DecodeError:
        return Answer()
    partial = answer.partial_success
    return Answer(max(0, int(getattr(partial, _REJECTED[signal]))), text(partial.error_message)[:MOST_WORDS])


def _kind(signal: Signal) -> Any:
    match signal:
        case Signal.TRACES:
            from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

            return ExportTraceServiceResponse
        case Signal.LOGS:
            from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

            return ExportLogsServiceResponse
        case Signal.METRICS:
            from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

            return ExportMetricsServiceResponse
