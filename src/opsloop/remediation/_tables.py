from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Double, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class RemediationRow(Row):
    __tablename__ = "remediations"
    __table_args__ = (Index("ix_remediations_environment_playbook", "environment", "playbook"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    incident: Mapped[str | None] = mapped_column(index=True)
    playbook: Mapped[str]
    title: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    endpoint: Mapped[str]
    environment: Mapped[str]
    level: Mapped[int]
    why_level: Mapped[list[Any]]
    state: Mapped[str] = mapped_column(index=True)
    is_rehearsal: Mapped[bool]
    # What it is about while it is not over, so that there is one of it.
    active: Mapped[str | None] = mapped_column(Text, unique=True)
    # Its target while it works on it, so that two never work on the same.
    busy: Mapped[str | None] = mapped_column(Text, unique=True)
    because: Mapped[list[Any]]
    against: Mapped[list[Any]]
    questions: Mapped[list[Any]]
    checklist: Mapped[list[Any]]
    commands: Mapped[list[Any]]
    script: Mapped[str] = mapped_column(Text)
    action: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    preview: Mapped[dict[str, Any] | None]
    digest: Mapped[str]
    needed: Mapped[int]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    # What counts its time besides the wall clock, and the count at which it lapses.
    counter: Mapped[str] = mapped_column(default="")
    lapses_s: Mapped[float] = mapped_column(Double, default=0.0)
    acted_at: Mapped[datetime | None]
    # The same as a count; None: nobody counted.
    acted_counter: Mapped[str | None]
    acted_s: Mapped[float | None] = mapped_column(Double)
    acted: Mapped[str] = mapped_column(Text)
    # Whether nobody was asked.
    by_itself: Mapped[bool]
    # What the undo needs; None: there is none.
    undo: Mapped[dict[str, Any] | None]
    undo_works: Mapped[bool | None]
    findings: Mapped[list[Any]]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(Text)


class VoteRow(Row):
    __tablename__ = "remediation_votes"

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    remediation: Mapped[str] = mapped_column(index=True)
    by: Mapped[str]
    is_yes: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text)
    digest: Mapped[str]
    at: Mapped[datetime]


class HaltRow(Row):
    """A time in which nothing acts."""

    __tablename__ = "remediation_halts"

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    # 1 while it goes on, so that there is one of it.
    active: Mapped[int | None] = mapped_column(unique=True)
    began_at: Mapped[datetime]
    began_by: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
