"""Take feedback, read it back, sum it up.

Whether a request id is known is not asked: the record of a request that was answered a moment ago may still wait in
another gateway's spool, and refusing its feedback would lose it. Feedback is taken for every well-formed id, and counts
for a release once a record with that id is there; feedback on an id that nobody ever gave out counts for none.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import cast

from sqlalchemy import case, func, select

from opsloop.core.caller import Role
from opsloop.core.db.order import one_after_another
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.feedback._tables import FeedbackRow
from opsloop.feedback.models import Feedback, FeedbackId, FeedbackSummary, Thumb
from opsloop.guardrails.redaction import redacted
from opsloop.guardrails.settings import GuardrailSettings

BELL = "records"
MAX_COMMENT = 4_000
MAX_LIMIT = 10_000
SATISFIED = 0.5
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
# Neither database keeps these in text.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_SCORES: dict[str, float] = {"up": 1.0, "down": 0.0}


def add(
    uow: UnitOfWork,
    request_id: str,
    *,
    score: float | None = None,
    thumb: Thumb | None = None,
    comment: str | None = None,
) -> Feedback:
    """Keep what somebody says about a request: a thumb or a score, and perhaps words.

    Rings the bell "records". Raises: InvalidInput.
    """
    uow.by.require(Role.VIEWER)
    row = FeedbackRow(
        id=uow.ids.new("feedback"),
        request_id=_request_id(request_id),
        score=_score(score, thumb),
        thumb=thumb,
        comment=_kept(uow, _comment(comment)),
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


def newest(
    uow: UnitOfWork, *, request_id: str | None = None, before_seq: int | None = None, limit: int = 100
) -> list[Feedback]:
    """The newest feedback first."""
    uow.by.require(Role.VIEWER)
    query = select(FeedbackRow).order_by(FeedbackRow.seq.desc())
    if request_id is not None:
        query = query.where(FeedbackRow.request_id == request_id)
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
            func.count(case((FeedbackRow.score >= SATISFIED, 1))),
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


def _request_id(given: str) -> str:
    if not _REQUEST_ID.fullmatch(given):
        raise InvalidInput(field="request_id", value=given, wanted="1 to 100 letters, digits and ._:-")
    return given


def _score(score: float | None, thumb: str | None) -> float:
    if (score is None) == (thumb is None):
        raise InvalidInput("feedback has both a score and a thumb, or neither; send one of them", field="score")
    if thumb is not None:
        if thumb not in _SCORES:
            raise InvalidInput(field="thumb", value=thumb, wanted="'up' or 'down'")
        return _SCORES[thumb]
    assert score is not None
    if not math.isfinite(score) or not 0 <= score <= 1:
        raise InvalidInput(field="score", value=score, wanted="a number from 0 to 1")
    return float(score)


def _comment(given: str | None) -> str | None:
    if given is None or not given.strip():
        return None
    if len(given) > MAX_COMMENT:
        raise InvalidInput(field="comment", value=given, wanted=f"at most {MAX_COMMENT} characters")
    if _UNSTORABLE.search(given):
        raise InvalidInput(field="comment", value=given, wanted="text without NUL characters and lone surrogates")
    return given.strip()


def _kept(uow: UnitOfWork, comment: str | None) -> str | None:
    """A comment as it is stored: people write who they are into it."""
    if comment is None or not uow.workspace.section(GuardrailSettings).redact_stored:
        return comment
    return redacted(comment)


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
    )
