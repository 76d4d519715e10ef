from __future__ import annotations

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class DiagnosisDayRow(Row):
    """Tokens that diagnoses took of models on one day of UTC, those of calls under way as if they used the most."""

    __tablename__ = "diagnosis_days"

    day: Mapped[str] = mapped_column(primary_key=True)
    taken: Mapped[int] = mapped_column(BigInteger)
