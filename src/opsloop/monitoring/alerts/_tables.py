from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class AlertRow(Row):
    __tablename__ = "alerts"
    __table_args__ = (Index("ix_alerts_state_started_at", "state", "started_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    rule: Mapped[str]
    endpoint: Mapped[str] = mapped_column(index=True)
    severity: Mapped[str]
    state: Mapped[str]
    # Rule and labels, hashed; of what is found again.
    fingerprint: Mapped[str] = mapped_column(index=True)
    # The fingerprint while it is not resolved, so that there is one alert of it.
    active: Mapped[str | None] = mapped_column(unique=True)
    labels: Mapped[dict[str, Any]]
    summary: Mapped[str] = mapped_column(Text)
    times: Mapped[int]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    fired_at: Mapped[datetime | None]
    # When it ends by itself, of an alert that an event raised.
    ends_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None] = mapped_column(index=True)
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    # When people were told of it last, and as how urgent; when an Alertmanager was.
    told_at: Mapped[datetime | None]
    told_as: Mapped[str | None]
    pushed_at: Mapped[datetime | None]
    is_end_told: Mapped[bool]


class SilenceRow(Row):
    __tablename__ = "alert_silences"

    id: Mapped[str] = mapped_column(primary_key=True)
    matchers: Mapped[dict[str, Any]]
    reason: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime] = mapped_column(index=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class DeclaredRow(Row):
    """A rule or a channel, by `kind`."""

    __tablename__ = "alert_declarations"

    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    declared: Mapped[dict[str, Any]]
    declared_at: Mapped[datetime]
    declared_by: Mapped[str]


class EvaluatedRow(Row):
    """One row: when rules were evaluated last. Whoever evaluates holds it."""

    __tablename__ = "alert_evaluations"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime | None]
