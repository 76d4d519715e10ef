from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class DiagnosisRow(Row):
    """One run whose log was diagnosed. Of the log there are fingerprints only."""

    __tablename__ = "diagnoses"
    __table_args__ = (Index("ix_diagnoses_job_at", "job", "at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    by: Mapped[str]
    has_failed: Mapped[bool]
    job: Mapped[str]
    step: Mapped[str]
    commit: Mapped[str]
    # Fingerprints of the first evidence lines.
    region: Mapped[list[Any]]
    signature: Mapped[str]
    category: Mapped[str]
    root_cause: Mapped[str] = mapped_column(Text)
    incident: Mapped[str | None] = mapped_column(index=True)
    closed_as: Mapped[str | None]
    turned_out: Mapped[str] = mapped_column(Text)
