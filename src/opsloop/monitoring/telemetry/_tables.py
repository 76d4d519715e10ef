from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class ResourceRow(Row):
    """What sent telemetry: a service, its version, its host. Many spans share one."""

    __tablename__ = "telemetry_resources"

    id: Mapped[str] = mapped_column(primary_key=True)
    service: Mapped[str]
    attributes: Mapped[str] = mapped_column(Text)
    seen_us: Mapped[int] = mapped_column(BigInteger, index=True)


class TraceRow(Row):
    """A trace as a list shows it: sums over its spans, kept up as they arrive."""

    __tablename__ = "traces"
    __table_args__ = (Index("ix_traces_endpoint_started_us", "endpoint", "started_us"),)

    trace_id: Mapped[str] = mapped_column(primary_key=True)
    # The trace's own start and end in microseconds since 1970 UTC, over all of its spans.
    started_us: Mapped[int] = mapped_column(BigInteger, index=True)
    ended_us: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[str | None]
    name: Mapped[str]
    service: Mapped[str]
    endpoint: Mapped[str | None]
    release: Mapped[str | None]
    request_id: Mapped[str | None] = mapped_column(index=True)
    spans: Mapped[int]
    errors: Mapped[int]
    tokens_in: Mapped[int] = mapped_column(BigInteger)
    tokens_out: Mapped[int] = mapped_column(BigInteger)


class SpanRow(Row):
    __tablename__ = "spans"
    __table_args__ = (UniqueConstraint("trace_id", "span_id"),)

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    trace_id: Mapped[str]
    span_id: Mapped[str]
    parent_id: Mapped[str | None]
    name: Mapped[str]
    kind: Mapped[str]
    service: Mapped[str]
    resource: Mapped[str]
    started_us: Mapped[int] = mapped_column(BigInteger)
    duration_us: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str]
    # JSON: attributes, events, links, scope.
    content: Mapped[str] = mapped_column(Text)


class LogRow(Row):
    __tablename__ = "log_records"
    __table_args__ = (Index("ix_log_records_service_at_us", "service", "at_us"),)

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    at_us: Mapped[int] = mapped_column(BigInteger, index=True)
    service: Mapped[str]
    resource: Mapped[str]
    severity: Mapped[int]
    severity_text: Mapped[str]
    trace_id: Mapped[str | None] = mapped_column(index=True)
    span_id: Mapped[str | None]
    body: Mapped[str] = mapped_column(Text)
    attributes: Mapped[str] = mapped_column(Text)


class SeriesRow(Row):
    """One metric of one service with one set of attributes."""

    __tablename__ = "metric_series"
    __table_args__ = (Index("ix_metric_series_service_name", "service", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    service: Mapped[str]
    resource: Mapped[str]
    name: Mapped[str]
    unit: Mapped[str]
    kind: Mapped[str]
    description: Mapped[str] = mapped_column(Text)
    attributes: Mapped[str] = mapped_column(Text)
    seen_us: Mapped[int] = mapped_column(BigInteger, index=True)


class PointRow(Row):
    __tablename__ = "metric_points"

    series: Mapped[str] = mapped_column(primary_key=True)
    at_us: Mapped[int] = mapped_column(BigInteger, primary_key=True, index=True)
    # Of a gauge or sum the value; of a histogram or summary the sum of what was observed.
    value: Mapped[float]
    count: Mapped[int | None] = mapped_column(BigInteger)
    # JSON of what else a histogram or summary holds: bounds, bucket counts, quantiles.
    content: Mapped[str | None] = mapped_column(Text)
