from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class LimitRow(Row):
    __tablename__ = "limits"

    scope: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    requests_per_minute: Mapped[int | None] = mapped_column(BigInteger)
    tokens_per_minute: Mapped[int | None] = mapped_column(BigInteger)
    concurrent: Mapped[int | None] = mapped_column(BigInteger)
    usd_per_day: Mapped[float | None]
    usd_per_month: Mapped[float | None]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class LimitWindowRow(Row):
    """How much of a meter was handed out in one window; never less than what was used."""

    __tablename__ = "limit_windows"

    scope: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    meter: Mapped[str] = mapped_column(primary_key=True)
    # Seconds since 1970 of its start; 0 of what has no windows.
    starts: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    taken: Mapped[int] = mapped_column(BigInteger)


class LimitLeaseRow(Row):
    """What a running process holds of a window. When it is not renewed in time its holder is dead."""

    __tablename__ = "limit_leases"

    id: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str]
    name: Mapped[str]
    meter: Mapped[str]
    starts: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    used: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime] = mapped_column(index=True)
