from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class LogWatchRow(Row):
    """How far the stored log records were watched, and what is usual in them."""

    __tablename__ = "log_watches"

    name: Mapped[str] = mapped_column(primary_key=True)
    # Of the last record that was looked at.
    seq: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    watched_at: Mapped[datetime]
