"""Settings of traces, and of the logs and metrics of other services."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class TelemetrySettings(Section):
    traces_sample_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of requests whose traces are kept, from 0 to 1; failed and slow ones always.",
    )
    traces_per_s: float = Field(
        10.0, gt=0, le=10_000, description="Most traces of ordinary requests that are kept, as a number a second."
    )
    traces_slow_ms: float = Field(
        5_000, ge=0, description="Time from which a request is slow, so that its trace is kept, in milliseconds."
    )
    traces_kept_days: float = Field(7, gt=0, le=3_660, description="Time that traces are kept, as a number of days.")
    traces_kept_spans: int = Field(
        2_000_000, ge=1_000, description="How many spans are kept; the oldest traces go first."
    )
    logs_kept_days: float = Field(
        7, gt=0, le=3_660, description="Time that log records of other services are kept, as a number of days."
    )
    metrics_kept_days: float = Field(
        14, gt=0, le=3_660, description="Time that metric points of other services are kept, as a number of days."
    )
