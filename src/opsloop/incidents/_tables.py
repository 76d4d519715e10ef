from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class IncidentRow(Row):
    __tablename__ = "incidents"
    __table_args__ = (Index("ix_incidents_state_opened_at", "state", "opened_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    severity: Mapped[str]
    state: Mapped[str]
    subjects: Mapped[list[Any]]
    # Words of its signals with how many have each: what correlation compares.
    words: Mapped[dict[str, Any]]
    # Kinds of its signals, hashed: what a later incident is compared with.
    marks: Mapped[list[Any]]
    signal_count: Mapped[int]
    told_count: Mapped[int] = mapped_column(BigInteger)
    active_count: Mapped[int]
    suspects: Mapped[list[Any]]
    diagnosis: Mapped[dict[str, Any] | None]
    # Of each endpoint: requests and failed ones while it went on.
    impact: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    opened_at: Mapped[datetime]
    first_signal_at: Mapped[datetime]
    last_signal_at: Mapped[datetime] = mapped_column(index=True)
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    mitigated_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None] = mapped_column(index=True)
    closed_by: Mapped[str | None]
    closed_as: Mapped[str | None]
    cause: Mapped[str] = mapped_column(Text)


class SignalRow(Row):
    __tablename__ = "signals"

    id: Mapped[str] = mapped_column(primary_key=True)
    incident: Mapped[str | None] = mapped_column(index=True)
    source: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    severity: Mapped[str]
    subject: Mapped[dict[str, Any]]
    text: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[str] = mapped_column(index=True)
    # The fingerprint while its incident is not closed, so that there is one signal of it.
    active: Mapped[str | None] = mapped_column(unique=True)
    numbers: Mapped[dict[str, Any]]
    link: Mapped[str] = mapped_column(Text)
    times: Mapped[int] = mapped_column(BigInteger)
    flaps: Mapped[int]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    seen_at: Mapped[datetime] = mapped_column(index=True)


class IncidentEntryRow(Row):
    __tablename__ = "incident_entries"

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    incident: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    by: Mapped[str]
    detail: Mapped[dict[str, Any]]


class DetectorRow(Row):
    """What was learned of a detector: how often it was called a false alarm, and how many tellings it needs since."""

    __tablename__ = "incident_detectors"

    mark: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    false_alarms: Mapped[int]
    confirmed: Mapped[int]
    needs_times: Mapped[int]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class DeliveryRow(Row):
    """A webhook's delivery that was taken in: the same one again is no news."""

    __tablename__ = "incident_deliveries"

    source: Mapped[str] = mapped_column(primary_key=True)
    delivery: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
