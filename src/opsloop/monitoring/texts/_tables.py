from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class RequestTextRow(Row):
    """Question and answer of one request; columns that lists read stand before the two long texts."""

    __tablename__ = "request_texts"
    __table_args__ = (
        Index("ix_request_texts_endpoint_started_us", "endpoint", "started_us"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(unique=True)
    request_id: Mapped[str] = mapped_column(index=True)
    endpoint: Mapped[str]
    release: Mapped[str]
    arm: Mapped[str]
    started_us: Mapped[int] = mapped_column(BigInteger)
    expires_us: Mapped[int] = mapped_column(BigInteger, index=True)
    # Of the conversation before the question; they are not kept.
    earlier_turns: Mapped[int]
    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
