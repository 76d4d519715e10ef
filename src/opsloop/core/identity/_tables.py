from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class ApiKeyRow(Row):
    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
