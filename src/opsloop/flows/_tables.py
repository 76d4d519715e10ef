from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
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
