"""HTTP: surveys. The form that people answer is the console's page `/survey/{invitation}`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, JsonValue

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.feedback.surveys import service
from opsloop.feedback.surveys.models import Invitation, Survey, SurveyFigures

router = Router(prefix="/api/surveys", tags=["feedback"])
MONTH_S = 30 * 86_400


class InvitationWanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    request_id: str | None = None


@router.get("")
def listed(uow: Reading) -> dict[str, Any]:
    """Surveys by name."""
    return {"items": service.listed(uow), "next": None}


@router.put("/{name}")
def declare(uow: Writing, name: str, declared: dict[str, JsonValue]) -> Survey:
    """Say what a survey asks: `title`, `questions`, and perhaps `intro`, `endpoint`, `valid_days`."""
    return service.declare(uow, name, declared)


@router.get("/{name}")
def get(uow: Reading, name: str) -> Survey:
    return service.get(uow, name)


@router.post("/{name}/invitations", status_code=201)
def invite(uow: Writing, name: str, wanted: InvitationWanted) -> Invitation:
    """A link that is good for one response; `path` is where the form is."""
    return service.invite(uow, name, request_id=wanted.request_id)


@router.get("/{name}/responses")
def responses(
    uow: Reading,
    name: str,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Responses, the newest invitations' first."""
    found = service.responses(uow, name, before_seq=before, limit=limit)
    return {"items": found, "next": found[-1].seq if len(found) == limit else None}


@router.get("/{name}/figures")
def figures(
    uow: Reading,
    name: str,
    window: Annotated[int, Query(ge=1, le=366 * 86_400, description="seconds until now")] = MONTH_S,
) -> SurveyFigures:
    """Response rate, CSAT, NPS and choices of the invitations sent in a window that ends now."""
    until = uow.clock.now() + timedelta(microseconds=1)
    return service.figures(uow, name, since=until - timedelta(seconds=window), until=until)
