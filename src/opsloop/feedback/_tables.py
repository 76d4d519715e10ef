from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class FeedbackRow(Row):
    __tablename__ = "feedback"
    # A number is never given out twice, also when the newest rows were deleted.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 (SQLAlchemy's form)

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(unique=True)
    request_id: Mapped[str] = mapped_column(index=True)
    score: Mapped[float]
    thumb: Mapped[str | None]
    csat: Mapped[int | None]
    comment: Mapped[str | None] = mapped_column(Text)
    tags: Mapped[list[Any] | None]
    correction: Mapped[str | None] = mapped_column(Text)
    # Where it came from: `api`, `survey`.
    source: Mapped[str] = mapped_column(default="api", server_default="api")
    created_at: Mapped[datetime] = mapped_column(index=True)
    created_by: Mapped[str]
