from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class SurveyRow(Row):
    __tablename__ = "surveys"

    name: Mapped[str] = mapped_column(primary_key=True)
    declared: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class InvitationRow(Row):
    __tablename__ = "survey_invitations"
    __table_args__ = (
        Index("ix_survey_invitations_survey_sent_at", "survey", "sent_at"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    # Who knows it may answer, once: it cannot be guessed.
    id: Mapped[str] = mapped_column(unique=True)
    survey: Mapped[str] = mapped_column(ForeignKey("surveys.name"))
    # As it was when it was sent, so that a response fits its questions.
    declared: Mapped[dict[str, Any]]
    endpoint: Mapped[str | None]
    request_id: Mapped[str | None]
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answers: Mapped[dict[str, Any] | None]
