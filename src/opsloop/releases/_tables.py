from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class EndpointRow(Row):
    __tablename__ = "endpoints"

    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    # Orders endpoints; the first is the default one.
    number: Mapped[int] = mapped_column(unique=True)
    # The release that serves everybody but a candidate's share, and those it replaced, newest last.
    stable: Mapped[str | None]
    earlier: Mapped[list[Any]]
    # Counts releases; numbers are given out under this row's lock.
    releases: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class ReleaseRow(Row):
    __tablename__ = "releases"
    __table_args__ = (UniqueConstraint("endpoint", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    endpoint: Mapped[str] = mapped_column(ForeignKey("endpoints.name"))
    number: Mapped[int]
    kind: Mapped[str]
    serves: Mapped[str]
    serves_digest: Mapped[str]
    serves_artifact: Mapped[str]
    config: Mapped[dict[str, Any]]
    evaluation: Mapped[str | None]
    gate: Mapped[str | None]
    digest: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class RolloutRow(Row):
    __tablename__ = "rollouts"

    id: Mapped[str] = mapped_column(primary_key=True)
    endpoint: Mapped[str] = mapped_column(ForeignKey("endpoints.name"), index=True)
    # The endpoint while the rollout goes on, empty afterwards: the database lets an endpoint have one at a time.
    active: Mapped[str | None] = mapped_column(unique=True)
    release: Mapped[str] = mapped_column(ForeignKey("releases.id"))
    number: Mapped[int]
    stable: Mapped[str | None] = mapped_column(ForeignKey("releases.id"))
    stable_number: Mapped[int | None]
    strategy: Mapped[str]
    plan: Mapped[dict[str, Any]]
    salt: Mapped[str]
    # The newest feedback when the rollout began: what came before says nothing of it.
    feedback_after: Mapped[int] = mapped_column(BigInteger)
    step: Mapped[int]
    share: Mapped[float]
    # Seconds that the present step was watched, by the monotonic clock: a wall clock that is set does not move it.
    watched_s: Mapped[float]
    status: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[dict[str, Any]]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class RolloutEventRow(Row):
    __tablename__ = "rollout_events"

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    rollout: Mapped[str] = mapped_column(ForeignKey("rollouts.id"), index=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    share: Mapped[float]
    sentence: Mapped[str] = mapped_column(Text)
    by: Mapped[str]
    evidence: Mapped[dict[str, Any]]


class RoutingRow(Row):
    """One row: the number of the routing table, one higher with every change of it."""

    __tablename__ = "routing"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
