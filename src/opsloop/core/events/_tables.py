from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class OutboxRow(Row):
    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "next_attempt_at", sqlite_where=text("delivered_at IS NULL")),)

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    type: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    # Unset: at once. Not "now", which a clock that is set back would put into the future.
    next_attempt_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    delivered_at: Mapped[datetime | None]


class HandledRow(Row):
    """An event that one subscriber has dealt with, written in the subscriber's own transaction."""

    __tablename__ = "outbox_handled"

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True)
    subscriber: Mapped[str] = mapped_column(primary_key=True)
