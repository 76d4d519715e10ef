"""Scores of a rollout's answers in the order in which they came, for who compares its arms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring._tables import RequestRow
from opsloop.monitoring.objectives._tables import ScoreRow


@dataclass(frozen=True, slots=True)
class LiveScore:
    """What an evaluator said of an answer that a rollout's arm gave.

    Args:
        seq: number of the score; readers remember the last one they saw.
        measure: `quality` or `privacy`.
        value: 0 (bad) to 1 (good).
    """

    seq: int
    subject: str
    at: datetime
    is_candidate: bool
    measure: str
    evaluator: str
    value: float


def after(uow: UnitOfWork, endpoint: str, rollout: str, seq: int, limit: int) -> list[LiveScore]:
    """Scores of answers that callers got in a rollout, after a number.

    What stable answered in the candidate's place belongs to no rollout, and speaks for neither.
    """
    uow.by.require(Role.VIEWER)
    query = (
        select(ScoreRow, RequestRow.subject, RequestRow.arm)
        .join(RequestRow, RequestRow.request_id == ScoreRow.request_id)
        .where(
            ScoreRow.endpoint == endpoint,
            ScoreRow.seq > seq,
            RequestRow.endpoint == endpoint,
            RequestRow.rollout == rollout,
            RequestRow.shadow.is_(False),
            RequestRow.shielded.is_(False),
        )
        .order_by(ScoreRow.seq)
        .limit(limit)
    )
    return [
        LiveScore(
            seq=score.seq,
            subject=subject,
            at=score.scored_at,
            is_candidate=arm == "candidate",
            measure=score.measure,
            evaluator=score.evaluator,
            value=score.value,
        )
        for score, subject, arm in uow.session.execute(query)
    ]


def newest(uow: UnitOfWork) -> int:
    """Number of the newest score of any endpoint; 0 before the first."""
    uow.by.require(Role.VIEWER)
    return uow.session.scalar(select(func.max(ScoreRow.seq))) or 0
