from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class PredictionRow(Row):
    """The rows of one request. Columns that lists and sums read stand before the two long texts."""

    __tablename__ = "predictions"
    __table_args__ = (
        # Sums and ends of windows are read from the index alone: the texts are long.
        Index("ix_predictions_endpoint_started_us_rows", "endpoint", "started_us", "rows"),
        Index("ix_predictions_endpoint_request_id", "endpoint", "request_id"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(unique=True)
    # What the caller saw; an attempt beside it, whose answer nobody got, has the same one and is no answer.
    request_id: Mapped[str]
    is_answer: Mapped[bool]
    endpoint: Mapped[str]
    release: Mapped[str]
    started_us: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int]
    drift_score: Mapped[float | None]
    inputs: Mapped[str] = mapped_column(Text)
    predictions: Mapped[str] = mapped_column(Text)
