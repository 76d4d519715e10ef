"""Take feedback, read it back, sum it up.

Whether a request id is known is not asked: the record of a request that was answered a moment ago may still wait in
another gateway's spool, and refusing its feedback would lose it. Feedback is taken for every well-formed id, and counts
for a release once a record with that id is there; feedback on an id that nobody ever gave out counts for none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import and_, case, func, not_, or_, select

from opsloop.core.caller import Role
from opsloop.core.db.order import one_after_another
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.feedback import words
from opsloop.feedback._tables import FeedbackRow
from opsloop.feedback.models import SATISFIED, SATISFIED_CSAT, Feedback, FeedbackId, FeedbackSummary, Thumb
from opsloop.guardrails.settings import GuardrailSettings

BELL = "records"
MAX_COMMENT = 4_000
MAX_LIMIT = 10_000
MAX_CORRECTION = 20_000
_SCORES: dict[str, float] = {"up": 1.0, "down": 0.0}


# True or false, never null, so that `not` of it is the others.
_IS_SATISFIED = or_(
    and_(FeedbackRow.csat.is_not(None), FeedbackRow.csat >= SATISFIED_CSAT),
    and_(FeedbackRow.csat.is_(None), FeedbackRow.score >= SATISFIED),
)


def add(
    uow: UnitOfWork,
    request_id: str,
    *,
    score: float | None = None,
    thumb: Thumb | None = None,
    csat: int | None = None,
    comment: str | None = None,
    tags: Sequence[str] = (),
    correction: str | None = None,
    source: str = "api",
) -> Feedback:
    """Keep what somebody says about a request: a thumb, a score or satisfaction from 1 to 5, and perhaps words.

    Args:
        correction: what the answer should have been.
    Personal data that is found in words is taken out before they are kept. Rings the
    bell "records". Raises: InvalidInput.
    """
    uow.by.require(Role.VIEWER)
    redact = uow.workspace.section(GuardrailSettings).redact_stored  # people write who they are into words
    row = FeedbackRow(
        id=uow.ids.new("feedback"),
        request_id=words.request_id(request_id),
        score=_score(score, thumb, csat),
        thumb=thumb,
        csat=csat,
        comment=words.cleaned("comment", comment, limit=MAX_COMMENT, redact=redact),
        tags=words.tags("tags", tags) or None,
        correction=words.cleaned("correction", correction, limit=MAX_CORRECTION, redact=redact),
        source=source,
        created_at=uow.clock.now(),
        created_by=uow.by.name,
    )
    one_after_another(uow.session, FeedbackRow.__tablename__)
    uow.session.add(row)
    uow.session.flush()
    uow.ring(BELL)
    return _feedback(row)


def since(uow: UnitOfWork, after_seq: int = 0, *, limit: int = 1_000) -> list[Feedback]:
    """Feedback after a number, oldest first. Of several on one request the newest is what counts."""
    uow.by.require(Role.VIEWER)
    query = select(FeedbackRow).where(FeedbackRow.seq > after_seq).order_by(FeedbackRow.seq)
    return [_feedback(row) for row in uow.session.scalars(query.limit(max(1, min(limit, MAX_LIMIT))))]


def between(uow: UnitOfWork, *, since: datetime, until: datetime) -> list[Feedback]:
    """Feedback of a time span that includes its start and not its end, oldest first."""
    uow.by.require(Role.VIEWER)
    inside = (FeedbackRow.created_at >= since, FeedbackRow.created_at < until)
    return [_feedback(row) for row in uow.session.scalars(select(FeedbackRow).where(*inside).order_by(FeedbackRow.seq))]


def newest(
    uow: UnitOfWork,
    *,
    request_id: str | None = None,
    requests: Sequence[str] | None = None,
    satisfied: bool | None = None,
    source: str | None = None,
    before_seq: int | None = None,
    limit: int = 100,
) -> list[Feedback]:
    """The newest feedback first.

    Args:
        requests: ids; feedback on these only.
        satisfied: only good words, or only bad ones.
    """
    uow.by.require(Role.VIEWER)
    query = select(FeedbackRow).order_by(FeedbackRow.seq.desc())
    if request_id is not None:
        query = query.where(FeedbackRow.request_id == request_id)
    if requests is not None:
        query = query.where(FeedbackRow.request_id.in_(requests))
    if satisfied is not None:
        query = query.where(_IS_SATISFIED if satisfied else not_(_IS_SATISFIED))
    if source is not None:
        query = query.where(FeedbackRow.source == source)
    if before_seq is not None:
        query = query.where(FeedbackRow.seq < before_seq)
    return [_feedback(row) for row in uow.session.scalars(query.limit(max(1, min(limit, MAX_LIMIT))))]


def summary(uow: UnitOfWork, *, since: datetime, until: datetime) -> FeedbackSummary:
    """Figures over the feedback of a time span that includes its start and not its end."""
    uow.by.require(Role.VIEWER)
    inside = (FeedbackRow.created_at >= since, FeedbackRow.created_at < until)
    counting = select(func.max(FeedbackRow.seq)).where(*inside).group_by(FeedbackRow.request_id)
    count, ups, downs, comments, mean, satisfied = uow.session.execute(
        select(
            func.count(),
            func.count(case((FeedbackRow.thumb == "up", 1))),
            func.count(case((FeedbackRow.thumb == "down", 1))),
            func.count(FeedbackRow.comment),
            func.avg(FeedbackRow.score),
            func.count(case((_IS_SATISFIED, 1))),
        ).where(FeedbackRow.seq.in_(counting))
    ).one()
    return FeedbackSummary(
        since=since,
        until=until,
        count=count,
        ups=ups,
        downs=downs,
        comments=comments,
        mean_score=None if mean is None else float(mean),
        satisfaction=satisfied / count if count else None,
    )


def _score(score: float | None, thumb: str | None, csat: int | None) -> float:
    if [score, thumb, csat].count(None) != 2:
        raise InvalidInput("feedback has a score, a thumb or csat, one of them; send one", field="score")
    if thumb is not None:
        if thumb not in _SCORES:
            raise InvalidInput(field="thumb", value=thumb, wanted="'up' or 'down'")
        return _SCORES[thumb]
    if csat is not None:
        if isinstance(csat, bool) or csat not in range(1, 6):
            raise InvalidInput(field="csat", value=csat, wanted="a whole number from 1 to 5")
        return (csat - 1) / 4
    assert score is not None
    if not math.isfinite(score) or not 0 <= score <= 1:
        raise InvalidInput(field="score", value=score, wanted="a number from 0 to 1")
    return float(score)


def _feedback(row: FeedbackRow) -> Feedback:
    return Feedback(
        id=FeedbackId(row.id),
        seq=row.seq,
        request_id=row.request_id,
        score=row.score,
        thumb=cast(Thumb | None, row.thumb),
        comment=row.comment,
        created_at=row.created_at,
        created_by=row.created_by,
        csat=row.csat,
        tags=tuple(row.tags or ()),
        correction=row.correction,
        source=row.source,
    )
