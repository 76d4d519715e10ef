from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class FeedbackWeekRow(Row):
    """The report of a week that is over; it never changes."""

    __tablename__ = "feedback_weeks"

    week: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
