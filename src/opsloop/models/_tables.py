from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class ModelRow(Row):
    __tablename__ = "models"

    name: Mapped[str] = mapped_column(primary_key=True)
    # Counts versions; numbers are given out under this row's lock.
    versions: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class ModelVersionRow(Row):
    __tablename__ = "model_versions"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(ForeignKey("models.name"))
    version: Mapped[int]
    digest: Mapped[str] = mapped_column(index=True)
    artifact: Mapped[str]
    task: Mapped[str]
    signature: Mapped[dict[str, Any]]
    metrics: Mapped[dict[str, Any]]
    parity: Mapped[dict[str, Any]]
    framework: Mapped[str]
    dataset: Mapped[str]
    run: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class ModelAliasRow(Row):
    """Where an alias points; a name has each alias once."""

    __tablename__ = "model_aliases"

    name: Mapped[str] = mapped_column(ForeignKey("models.name"), primary_key=True)
    alias: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    moved_at: Mapped[datetime]
    moved_by: Mapped[str]
