from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class ScoringRow(Row):
    """How answers of an endpoint are scored, and up to which of its kept answers that was done."""

    __tablename__ = "scorings"

    endpoint: Mapped[str] = mapped_column(primary_key=True)
    declared: Mapped[dict[str, Any]]
    done_seq: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
