from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class TallyRow(Row):
    """How many events of one measure there were, and how many good ones, in one minute or hour of an endpoint."""

    __tablename__ = "tallies"
    __table_args__ = (Index("ix_tallies_span_s_at_s", "span_s", "at_s"),)

    endpoint: Mapped[str] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    # 60 or 3600.
    span_s: Mapped[int] = mapped_column(primary_key=True)
    # Its beginning, in seconds since 1970 UTC.
    at_s: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    total: Mapped[int] = mapped_column(BigInteger)
    good: Mapped[int] = mapped_column(BigInteger)
    # Of whatever the measure adds up, such as milliseconds; 0 where it adds nothing.
    amount: Mapped[float]


class TalliedRow(Row):
    """How far a source of events is counted: the last number that is in the tallies."""

    __tablename__ = "tallied"

    source: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)


class ObjectivesRow(Row):
    """What is declared for an endpoint, in the place of the defaults."""

    __tablename__ = "objectives"

    endpoint: Mapped[str] = mapped_column(primary_key=True)
    declared: Mapped[dict[str, Any]]
    declared_at: Mapped[datetime]
    declared_by: Mapped[str]


class ScoreRow(Row):
    """What an evaluator said of one answer in production."""

    __tablename__ = "live_scores"
    __table_args__ = (
        UniqueConstraint("endpoint", "request_id", "measure", "evaluator"),
        {"sqlite_autoincrement": True},
    )

    # Order of arrival; readers remember the last one they saw.
    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    endpoint: Mapped[str]
    request_id: Mapped[str]
    measure: Mapped[str]
    evaluator: Mapped[str]
    value: Mapped[float]
    is_good: Mapped[bool]
    scored_at: Mapped[datetime]
    scored_by: Mapped[str]
