from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class PublicationRow(Row):
    __tablename__ = "dataset_publications"

    id: Mapped[str] = mapped_column(primary_key=True)
    dataset: Mapped[str] = mapped_column(index=True)
    target: Mapped[str]
    replace: Mapped[bool]
    status: Mapped[str]
    at: Mapped[str | None]
    is_new: Mapped[bool | None]
    rows: Mapped[int] = mapped_column(BigInteger)
    error: Mapped[str | None] = mapped_column(Text)
    job: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)
    created_by: Mapped[str]
    finished_at: Mapped[datetime | None]
