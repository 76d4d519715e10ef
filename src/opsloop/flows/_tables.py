from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class FlowRow(Row):
    __tablename__ = "flows"

    name: Mapped[str] = mapped_column(primary_key=True)
    # The version that the bare name stands for: the one registered last.
    current: Mapped[int]
    # Counts versions; numbers are given out under this row's lock.
    versions: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class FlowVersionRow(Row):
    __tablename__ = "flow_versions"
    __table_args__ = (UniqueConstraint("name", "version"), UniqueConstraint("name", "digest"))

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(ForeignKey("flows.name"))
    version: Mapped[int]
    digest: Mapped[str] = mapped_column(index=True)
    artifact: Mapped[str]
    size_bytes: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class FlowRunRow(Row):
    """A run that somebody asked for to look at it; the newest of each flow are kept."""

    __tablename__ = "flow_runs"
    __table_args__ = (Index("ix_flow_runs_flow_created_at", "flow", "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    flow: Mapped[str] = mapped_column(ForeignKey("flows.name"))
    version: Mapped[int]
    digest: Mapped[str]
    status: Mapped[str]
    error: Mapped[str | None] = mapped_column(Text)
    duration_ms: Mapped[float]
    # Inputs, outputs, tokens, the trace of each node: bounded in size, read only when the run is shown.
    content: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
