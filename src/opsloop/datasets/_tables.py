from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class DatasetRow(Row):
    __tablename__ = "datasets"

    name: Mapped[str] = mapped_column(primary_key=True)
    # The version that the bare name stands for: the one registered last.
    current: Mapped[int]
    # Counts versions; numbers are given out under this row's lock.
    versions: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class DatasetVersionRow(Row):
    __tablename__ = "dataset_versions"
    __table_args__ = (UniqueConstraint("name", "version"), UniqueConstraint("name", "digest"))

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(ForeignKey("datasets.name"))
    version: Mapped[int]
    digest: Mapped[str]
    artifact: Mapped[str]
    rows: Mapped[int] = mapped_column(BigInteger)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    columns: Mapped[list[Any]]
    profile: Mapped[list[Any]]
    tags: Mapped[list[Any]]
    source: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    # What was found when it was looked at: expectations, personal data, how many rows are held out.
    findings: Mapped[dict[str, Any] | None]


class DatasetPolicyRow(Row):
    """What is declared for a dataset; it may be there before the dataset is."""

    __tablename__ = "dataset_policies"

    name: Mapped[str] = mapped_column(primary_key=True)
    expectations: Mapped[list[Any]]
    on_broken: Mapped[str]
    pii: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class DatasetHoldoutRow(Row):
    __tablename__ = "dataset_holdouts"

    name: Mapped[str] = mapped_column(ForeignKey("datasets.name"), primary_key=True)
    # The version whose held out rows must stay.
    frozen: Mapped[int]
    share: Mapped[float]
    seed: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str | None]
    columns: Mapped[list[Any]]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class DatasetUseRow(Row):
    __tablename__ = "dataset_uses"

    version: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id"), primary_key=True)
    noun: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class DatasetMoveRow(Row):
    """When the bare name began to stand for which version."""

    __tablename__ = "dataset_moves"
    __table_args__ = (Index("ix_dataset_moves_name_at", "name", "at"), {"sqlite_autoincrement": True})

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(ForeignKey("datasets.name"))
    version: Mapped[int]
    at: Mapped[datetime]


class DatasetSourceRow(Row):
    """What a version was made from."""

    __tablename__ = "dataset_sources"

    version: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id"), primary_key=True)
    noun: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
