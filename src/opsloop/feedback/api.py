"""HTTP: feedback."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.feedback import service
from opsloop.feedback.models import Feedback, FeedbackSummary, Thumb

router = Router(tags=["feedback"])
WEEK_S = 7 * 86_400


class FeedbackGiven(BaseModel):
    model_config = ConfigDict(extra="forbid")

    request_id: str
    score: float | None = None
    thumb: Thumb | None = None
    csat: int | None = None
    comment: str | None = None
    tags: list[str] = Field(default_factory=list, max_length=100)
    correction: str | None = None


@router.post("/feedback", status_code=201)
def add(uow: Writing, given: FeedbackGiven) -> Feedback:
    """Say how good the answer to a request was: a thumb, a score from 0 to 1 or csat from 1 to 5.

    Beside it `comment`, `tags`, and `correction`: what the answer should have been.
    """
    return service.add(
        uow,
        given.request_id,
        score=given.score,
        thumb=given.thumb,
        csat=given.csat,
        comment=given.comment,
        tags=given.tags,
        correction=given.correction,
    )


@router.get("/api/feedback")
def newest(
    uow: Reading,
    request_id: str | None = None,
    satisfied: bool | None = None,
    before: Annotated[int | None, Query(ge=1, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Feedback, newest first."""
    found = service.newest(uow, request_id=request_id, satisfied=satisfied, before_seq=before, limit=limit)
    return {"items": found, "next": found[-1].seq if len(found) == limit else None}


@router.get("/api/feedback/summary")
def summary(
    uow: Reading, window: Annotated[int, Query(ge=1, le=53 * WEEK_S, description="seconds until now")] = WEEK_S
) -> FeedbackSummary:
    """Figures over the feedback of a window that ends now, a week unless asked otherwise."""
    until = uow.clock.now() + timedelta(microseconds=1)
    return service.summary(uow, since=until - timedelta(seconds=window), until=until)
