from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class TuningRow(Row):
    """What was asked of a tuning, and what came out; how far it is says its job, which has the same id."""

    __tablename__ = "evaluation_tunings"

    id: Mapped[str] = mapped_column(primary_key=True)
    collection: Mapped[str] = mapped_column(index=True)
    dataset: Mapped[str]
    known_by: Mapped[str]
    applies: Mapped[bool]
    # Settings and figures of both halves; none until it is done.
    tuned: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
