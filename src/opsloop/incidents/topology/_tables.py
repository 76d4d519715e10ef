from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class CallRow(Row):
    """One part calls another, as traces showed."""

    __tablename__ = "topology_calls"

    caller: Mapped[str] = mapped_column(primary_key=True)
    callee: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger)
    errors: Mapped[int] = mapped_column(BigInteger)
    first_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)


class CursorRow(Row):
    """How far stored spans were read for the topology: one row. Whoever reads on holds it."""

    __tablename__ = "topology_cursor"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Of the last span that was read, and the last that was there at that time.
    seq: Mapped[int] = mapped_column(BigInteger)
    ceiling: Mapped[int] = mapped_column(BigInteger)
    read_at: Mapped[datetime]
