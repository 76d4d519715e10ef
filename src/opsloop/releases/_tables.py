from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, Text, UniqueConstraint, false
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
    # Whether questions and answers are kept, and how long; None: they are not.
    keep_texts: Mapped[dict[str, Any] | None]
    # One of the names that are known; None: that of the platform.
    environment: Mapped[str | None]
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
    # Why it was taken back or left; empty: it was not. What is declared is not released again then.
    left_for: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class RecallRow(Row):
    """Content that nothing may serve any more."""

    __tablename__ = "release_recalls"

    serves_digest: Mapped[str] = mapped_column(primary_key=True)
    serves: Mapped[str]
    release: Mapped[str] = mapped_column(ForeignKey("releases.id"))
    reason: Mapped[str] = mapped_column(Text)
    recalled_at: Mapped[datetime]
    recalled_by: Mapped[str]


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
    # The newest score of a live answer then.
    scores_after: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    step: Mapped[int]
    share: Mapped[float]
    # Seconds that the present step was watched, by the monotonic clock: a wall clock that is set does not move it.
    watched_s: Mapped[float]
    status: Mapped[str]
    # Whether its driver has given the candidate its first share, or copies of requests.
    has_begun: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Who let it go on in freezes and outside its windows, and why; empty: nobody.
    override: Mapped[str] = mapped_column(Text, default="", server_default="")
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[dict[str, Any]]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    # How long the release that it brought stays under watch; empty: it does not, or it was left.
    bakes_until: Mapped[datetime | None]


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


class ApprovalRow(Row):
    __tablename__ = "rollout_approvals"

    id: Mapped[str] = mapped_column(primary_key=True)
    rollout: Mapped[str] = mapped_column(ForeignKey("rollouts.id"), index=True)
    endpoint: Mapped[str]
    # The step that it is about; see `ApprovalPlan`.
    place: Mapped[int]
    action: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    sentence: Mapped[str] = mapped_column(Text)
    # What was shown, and the digest over it that the answer must name.
    shown: Mapped[dict[str, Any]]
    digest: Mapped[str]
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    reason: Mapped[str] = mapped_column(Text)


class FreezeRow(Row):
    __tablename__ = "release_freezes"

    id: Mapped[str] = mapped_column(primary_key=True)
    # Empty: all endpoints.
    endpoint: Mapped[str | None] = mapped_column(ForeignKey("endpoints.name"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime | None]
    began_at: Mapped[datetime]
    began_by: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class RoutingRow(Row):
    """One row: the number of the routing table, one higher with every change of it."""

    __tablename__ = "routing"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
