from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class DeliveryRow(Row):
    __tablename__ = "deliveries"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    about: Mapped[str] = mapped_column(index=True)
    # What may be shown of the address; the address itself and the secret go once the delivery is over.
    to: Mapped[str] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    secret: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    # Texts of the body that nobody is shown, as a JSON list; they go out of it once the delivery is over.
    hidden: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(index=True)
    next_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
