from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class ButtonRow(Row):
    """One button of one message. What Slack knows of it is a secret of which only the SHA-256 is kept."""

    __tablename__ = "remediation_buttons"

    mark: Mapped[str] = mapped_column(primary_key=True)
    remediation: Mapped[str] = mapped_column(index=True)
    digest: Mapped[str]
    is_yes: Mapped[bool]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class MessageRow(Row):
    """A message that asks, so that it can be rewritten when nothing is asked in it any more."""

    __tablename__ = "remediation_messages"
    __table_args__ = (UniqueConstraint("digest", "channel"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    remediation: Mapped[str] = mapped_column(index=True)
    digest: Mapped[str]
    # Slack's id of a channel, or the name of one of alerts whose webhook posted it.
    channel: Mapped[str]
    is_webhook: Mapped[bool]
    # By which Slack knows it; None while it is not posted, and of a webhook's for ever.
    ts: Mapped[str | None]
    # What it says below the question; empty while it only asks.
    said: Mapped[str] = mapped_column(Text, default="")
    # The job that posts or rewrites it right now, so that of two the older is not the last.
    shown_by: Mapped[str | None]
    tries: Mapped[int] = mapped_column(default=0)
    is_over: Mapped[bool] = mapped_column(default=False, index=True)
