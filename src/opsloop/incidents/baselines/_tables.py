from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class BaselineRow(Row):
    """What one healthy run of a job printed: a row for each, so that two processes that learn do not meet."""

    __tablename__ = "log_baselines"

    job: Mapped[str] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(primary_key=True)
    learned_at: Mapped[datetime]
    shapes: Mapped[int]
    # Compressed JSON of `Baseline.to_json`.
    content: Mapped[bytes] = mapped_column(LargeBinary)
