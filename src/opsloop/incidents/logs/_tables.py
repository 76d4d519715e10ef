from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class LogWatchRow(Row):
    """How far the stored log records were watched (one row without a service), and what is usual in those of each."""

    __tablename__ = "log_watches"

    service: Mapped[str] = mapped_column(primary_key=True)
    # Of the last record that was looked at, and the last that was there at that time.
    seq: Mapped[int] = mapped_column(BigInteger)
    ceiling: Mapped[int] = mapped_column(BigInteger)
    # Compressed JSON of `LogWatch.to_json`; empty in the row without a service.
    content: Mapped[bytes] = mapped_column(LargeBinary)
    watched_at: Mapped[datetime]
