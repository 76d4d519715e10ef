from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class CaseRow(Row):
    __tablename__ = "support_cases"
    # A number is never given out twice, also when the newest rows were deleted.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 (SQLAlchemy's form)

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(unique=True)
    endpoint: Mapped[str] = mapped_column(index=True)
    release: Mapped[str]
    request_id: Mapped[str]
    kinds: Mapped[list[Any]]
    state: Mapped[str] = mapped_column(index=True)
    conversation: Mapped[list[Any]]
    # SHA-256 of the caller's token.
    token: Mapped[str]
    claimed_by: Mapped[str | None]
    answer: Mapped[str | None] = mapped_column(Text)
    answered_by: Mapped[str | None]
    closed_by: Mapped[str | None]
    opened_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
