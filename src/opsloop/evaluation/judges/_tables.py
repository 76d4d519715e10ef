from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class JudgeRow(Row):
    __tablename__ = "judges"

    name: Mapped[str] = mapped_column(primary_key=True)
    current: Mapped[int]
    versions: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class JudgeVersionRow(Row):
    __tablename__ = "judge_versions"
    __table_args__ = (UniqueConstraint("name", "version"), UniqueConstraint("name", "digest"))

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(ForeignKey("judges.name"))
    version: Mapped[int]
    digest: Mapped[str] = mapped_column(index=True)
    declared: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class CalibrationRow(Row):
    __tablename__ = "judge_calibrations"

    id: Mapped[str] = mapped_column(primary_key=True)
    judge_version: Mapped[str] = mapped_column(ForeignKey("judge_versions.id"), index=True)
    digest: Mapped[str] = mapped_column(index=True)
    dataset: Mapped[str]
    dataset_digest: Mapped[str]
    rows: Mapped[int] = mapped_column(BigInteger)
    # What was wanted: columns of labels, mappings of inputs, rows asked twice, the seed.
    wanted: Mapped[dict[str, Any]]
    status: Mapped[str]
    # What was found: agreement, biases, who answered, what it used.
    found: Mapped[dict[str, Any] | None]
    error: Mapped[str | None] = mapped_column(Text)
    job: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)
    created_by: Mapped[str]
    finished_at: Mapped[datetime | None]
