from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class TicketRow(Row):
    __tablename__ = "tickets"
    __table_args__ = (UniqueConstraint("system", "outer_id"), {"sqlite_autoincrement": True})

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(unique=True)
    system: Mapped[str]
    outer_id: Mapped[str]
    request_id: Mapped[str | None] = mapped_column(index=True)
    endpoint: Mapped[str | None]
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    category: Mapped[str | None]
    status: Mapped[str | None]
    priority: Mapped[str | None]
    tags: Mapped[list[Any]]
    link: Mapped[str | None] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(index=True)
    imported_at: Mapped[datetime]
    imported_by: Mapped[str]
