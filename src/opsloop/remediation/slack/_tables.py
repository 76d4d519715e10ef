from __future__ import annotations

from datetime import datetime

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
