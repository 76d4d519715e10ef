from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class PreparationRow(Row):
    __tablename__ = "preparations"

    name: Mapped[str] = mapped_column(primary_key=True)
    declared: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]
    updated_by: Mapped[str]


class PreparationRunRow(Row):
    __tablename__ = "preparation_runs"
    __table_args__ = (Index("ix_preparation_runs_preparation_created_at", "preparation", "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    # A preparation's name, or `import NAME` for rows that were registered from elsewhere as they are.
    preparation: Mapped[str]
    declared: Mapped[dict[str, Any]]
    # Names what was read and what was done with it: two runs with one fingerprint make the same versions.
    fingerprint: Mapped[str] = mapped_column(default="")
    status: Mapped[str]
    sources: Mapped[list[Any]]
    steps: Mapped[list[Any]]
    versions: Mapped[list[Any]]
    same_as: Mapped[str | None]
    error: Mapped[str | None] = mapped_column(Text)
    job: Mapped[str] = mapped_column(index=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    finished_at: Mapped[datetime | None]
