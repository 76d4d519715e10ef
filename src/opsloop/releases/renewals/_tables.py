from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class RenewalRow(Row):
    __tablename__ = "renewals"
    __table_args__ = (Index("ix_renewals_endpoint_started_at", "endpoint", "started_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    endpoint: Mapped[str] = mapped_column(ForeignKey("endpoints.name"))
    # The endpoint while the renewal goes on, empty afterwards: the database lets an endpoint have one at a time.
    active: Mapped[str | None] = mapped_column(unique=True)
    cause: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    # Alarms that set it off or joined it.
    alarms: Mapped[list[Any]]
    # As the release said it when the renewal began.
    policy: Mapped[dict[str, Any]]
    # Of the new release; empty for that of the one that serves then.
    config: Mapped[dict[str, Any] | None]
    state: Mapped[str]
    said: Mapped[str] = mapped_column(Text)
    champion: Mapped[str | None]
    challenger: Mapped[str | None]
    training_run: Mapped[str | None] = mapped_column(index=True)
    # Runs of both models over the same rows, and what the gate made of them.
    champion_run: Mapped[str | None] = mapped_column(index=True)
    challenger_run: Mapped[str | None] = mapped_column(index=True)
    gate: Mapped[str | None]
    release: Mapped[str | None]
    rollout: Mapped[str | None] = mapped_column(index=True)
    # How often its job looked; part of the ids of the jobs it asks for.
    looks: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime]
    started_by: Mapped[str]
    finished_at: Mapped[datetime | None]


class RenewalEventRow(Row):
    __tablename__ = "renewal_events"

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    renewal: Mapped[str] = mapped_column(ForeignKey("renewals.id"), index=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    sentence: Mapped[str] = mapped_column(Text)
    by: Mapped[str]
    # What to look at: `evaluation`, and its id.
    noun: Mapped[str]
    target: Mapped[str]
