from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class PipelineRow(Row):
    __tablename__ = "pipelines"

    name: Mapped[str] = mapped_column(primary_key=True)
    # The whole declaration, with what only says when it runs and whom it tells.
    declared: Mapped[dict[str, Any]]
    version: Mapped[int]
    updated_at: Mapped[datetime]
    updated_by: Mapped[str]


class PipelineVersionRow(Row):
    __tablename__ = "pipeline_versions"

    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    # Names what is learned and how, code included; a pipeline has each digest once.
    digest: Mapped[str]
    # Key of the JSON document with the declaration and the code.
    artifact: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class TrainingRunRow(Row):
    __tablename__ = "training_runs"
    __table_args__ = (
        Index("ix_training_runs_pipeline_created_at", "pipeline", "created_at"),
        UniqueConstraint("stamp"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    pipeline: Mapped[str]
    pipeline_version: Mapped[int]
    declared: Mapped[dict[str, Any]]
    code: Mapped[str]
    trigger: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    endpoint: Mapped[str | None]
    # What was asked for: a dataset or a version of it, which of its rows, and whether though nothing changed.
    dataset: Mapped[str]
    window: Mapped[dict[str, Any]]
    force: Mapped[bool]
    status: Mapped[str]
    # What it learned from, exactly: set once, so that a run that begins again learns from the same.
    data: Mapped[str | None]
    rows: Mapped[int | None]
    fingerprint: Mapped[str] = mapped_column(default="")
    # The time in the names of its files, of which no two runs have the same.
    stamp: Mapped[str | None]
    model: Mapped[str | None]
    artifacts: Mapped[dict[str, Any]]
    metrics: Mapped[dict[str, Any]]
    report: Mapped[dict[str, Any]]
    steps: Mapped[list[Any]]
    same_as: Mapped[str | None]
    error: Mapped[str | None] = mapped_column(Text)
    job: Mapped[str] = mapped_column(index=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
