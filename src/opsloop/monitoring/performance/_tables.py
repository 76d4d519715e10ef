from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class StandingRow(Row):
    """Where the test of a release's performance is."""

    __tablename__ = "performance_standings"

    endpoint: Mapped[str] = mapped_column(primary_key=True)
    release: Mapped[str] = mapped_column(primary_key=True)
    standing: Mapped[dict[str, Any]]
    score: Mapped[float]
    updated_at: Mapped[datetime]
