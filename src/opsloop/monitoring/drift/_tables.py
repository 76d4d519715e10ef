from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class WatchRow(Row):
    """How a release is watched; its lock is held by whoever raises or closes an alarm of it."""

    __tablename__ = "drift_watches"

    endpoint: Mapped[str] = mapped_column(primary_key=True)
    release: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str]
    digest: Mapped[str]
    # Grows when an alarm is closed: detectors of an older one begin anew.
    generation: Mapped[int]
    # Artifact of the rows that are the normal since one was accepted; the bundle's own before.
    baseline: Mapped[str | None]
    # What a page shows of the reference and the options: JSON values.
    about: Mapped[dict[str, Any]]
    # Webhooks of this release, as it declares them; never shown.
    told_to: Mapped[list[Any] | None]
    started_at: Mapped[datetime]
    restarted_at: Mapped[datetime]


class CheckpointRow(Row):
    """A detector of one gateway replica, as of a moment ago."""

    __tablename__ = "drift_checkpoints"

    endpoint: Mapped[str] = mapped_column(primary_key=True)
    release: Mapped[str] = mapped_column(primary_key=True)
    replica: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int]
    state: Mapped[bytes] = mapped_column(LargeBinary)
    rows: Mapped[int] = mapped_column(BigInteger)
    score: Mapped[float]
    figures: Mapped[dict[str, Any]]
    broken: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]
