from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class RequestRow(Row):
    __tablename__ = "requests"
    __table_args__ = (
        Index("ix_requests_endpoint_started_us", "endpoint", "started_us"),
        Index("ix_requests_endpoint_rollout_seq", "endpoint", "rollout", "seq"),
        # A number is never given out twice, also when the newest rows were deleted.
        {"sqlite_autoincrement": True},
    )

    # Order of ingest; readers remember the last one they saw.
    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(unique=True)
    request_id: Mapped[str] = mapped_column(index=True)
    endpoint: Mapped[str]
    release: Mapped[str]
    arm: Mapped[str]
    rollout: Mapped[str | None]
    candidate_share: Mapped[float]
    subject: Mapped[str]
    # Microseconds since 1970 UTC: a number, so that both databases put it into intervals with the same arithmetic.
    started_us: Mapped[int] = mapped_column(BigInteger)
    duration_ms: Mapped[float]
    status: Mapped[str]
    error_type: Mapped[str | None]
    http_status: Mapped[int]
    shielded: Mapped[bool]
    abstained: Mapped[bool | None]
    tokens_in: Mapped[int]
    tokens_out: Mapped[int]
    engine: Mapped[str]
    streamed: Mapped[bool]
    shadow: Mapped[bool] = mapped_column(default=False, server_default=false())
    agreement: Mapped[float | None]
    # JSON text of the list of hits; none where nothing was found.
    hits: Mapped[str | None] = mapped_column(Text)
    cached: Mapped[bool] = mapped_column(default=False, server_default=false())
    api_key: Mapped[str] = mapped_column(default="", server_default="")
    # JSON text of the calls to models; none where none was made.
    calls: Mapped[str | None] = mapped_column(Text)


class SubjectKeyRow(Row):
    """One row: the key of the hash under which subjects are stored."""

    __tablename__ = "subject_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
