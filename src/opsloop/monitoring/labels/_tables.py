from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class LabelRow(Row):
    __tablename__ = "labels"
    __table_args__ = (
        UniqueConstraint("endpoint", "request_id", "row"),
        Index("ix_labels_state_seq", "state", "seq"),
        Index("ix_labels_endpoint_release_predicted_us", "endpoint", "release", "predicted_us"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    endpoint: Mapped[str]
    request_id: Mapped[str]
    row: Mapped[int]
    # JSON text, as the prediction beside it.
    label: Mapped[str] = mapped_column(Text)
    state: Mapped[str]
    reason: Mapped[str | None] = mapped_column(Text)
    # What was predicted, once that is known.
    key: Mapped[str | None]
    release: Mapped[str | None]
    predicted: Mapped[str | None] = mapped_column(Text)
    predicted_us: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    changed_at: Mapped[datetime | None]
