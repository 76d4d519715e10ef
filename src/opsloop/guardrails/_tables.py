from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class PolicyRow(Row):
    """The present policy of an endpoint; the versions before it stand in the audit."""

    __tablename__ = "guardrail_policies"

    endpoint: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    declared: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
