from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class AlarmRow(Row):
    __tablename__ = "alarms"
    __table_args__ = (Index("ix_alarms_endpoint_opened_at", "endpoint", "opened_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    endpoint: Mapped[str]
    release: Mapped[str]
    model: Mapped[str]
    # Endpoint, release and kind while it is not closed, so that of two replicas that see the same one raises it.
    active: Mapped[str | None] = mapped_column(unique=True)
    state: Mapped[str]
    feature: Mapped[str]
    sentence: Mapped[str] = mapped_column(Text)
    score: Mapped[float]
    # Of the rows that this release predicted; None where the method does not say.
    since_row: Mapped[int | None] = mapped_column(BigInteger)
    since_at: Mapped[datetime | None]
    expected_delay_rows: Mapped[float | None]
    evidence: Mapped[dict[str, Any]]
    opened_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    outcome: Mapped[str | None]
    reason: Mapped[str | None] = mapped_column(Text)
