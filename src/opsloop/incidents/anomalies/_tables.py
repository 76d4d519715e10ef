from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class WatchRow(Row):
    """How far a series was read. Whoever reads on holds the row."""

    __tablename__ = "anomaly_watches"

    series: Mapped[str] = mapped_column(primary_key=True)
    # Of the newest point that was read, in microseconds since 1970 UTC.
    read_us: Mapped[int] = mapped_column(BigInteger, index=True)
    # JSON of the detector; none before the first point.
    state: Mapped[str | None] = mapped_column(Text)


class AnomalyRow(Row):
    __tablename__ = "metric_anomalies"
    __table_args__ = (Index("ix_metric_anomalies_subject_at_us", "subject", "at_us"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    series: Mapped[str]
    subject: Mapped[str]
    metric: Mapped[str]
    at_us: Mapped[int] = mapped_column(BigInteger, index=True)
    value: Mapped[float]
    usual: Mapped[float]
    score: Mapped[float]
    sentence: Mapped[str] = mapped_column(Text)
