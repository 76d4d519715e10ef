from __future__ import annotations

from sqlalchemy import BigInteger, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSeq = BigInteger().with_variant(Integer(), "sqlite")


class AuditEventRow(Row):
    """Text throughout: what was hashed is what is stored, to the byte."""

    __tablename__ = "audit_events"

    seq: Mapped[int] = mapped_column(BigSeq, primary_key=True, autoincrement=False)
    id: Mapped[str]
    at: Mapped[str]
    actor: Mapped[str]
    action: Mapped[str] = mapped_column(index=True)
    target: Mapped[str] = mapped_column(index=True)
    detail: Mapped[str] = mapped_column(Text)
    previous: Mapped[str]
    hash: Mapped[str]


class AuditCheckpointRow(Row):
    __tablename__ = "audit_checkpoints"

    events: Mapped[int] = mapped_column(BigSeq, primary_key=True, autoincrement=False)
    head: Mapped[str]
    signature: Mapped[str]


class AuditHeadRow(Row):
    """One row: the length and head of the trail. Locking it puts concurrent writers in order."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    events: Mapped[int] = mapped_column(BigSeq)
    head: Mapped[str]
