"""HTTP: the support queue for those who answer, and a ticket for the caller who waits."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Query
from pydantic import BaseModel, ConfigDict

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.guardrails.support import service
from opsloop.guardrails.support.models import Answered, Case, CaseState

router = Router(tags=["support"])


class Claim(BaseModel):
    model_config = ConfigDict(extra="forbid")

    take_over: bool = False


class GivenAnswer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    answer: str


@router.get("/support/{ticket}")
def ticket(
    uow: Reading,
    ticket: str,
    token: Annotated[str, Header(alias="x-ticket-token", description="which came with the ticket", max_length=200)],
) -> Answered:
    """Whether a person has answered, and what. Needs no API key: the ticket's own token stands for one."""
    return service.of_ticket(uow, ticket, token)


@router.get("/api/support")
def listed(
    uow: Reading,
    state: CaseState | None = None,
    endpoint: str | None = None,
    before: Annotated[str | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Cases of the support queue, newest first."""
    found = service.listed(uow, state=state, endpoint=endpoint, before=before, limit=limit)
    return {"items": found, "next": found[-1].id if len(found) == limit else None}


@router.get("/api/support/{case}")
def case(uow: Reading, case: str) -> Case:
    return service.get(uow, case)


@router.post("/api/support/{case}/claim")
def claim(uow: Writing, case: str, body: Claim | None = None) -> Case:
    """Take a case, so that nobody else answers it."""
    return service.claim(uow, case, take_over=body is not None and body.take_over)


@router.post("/api/support/{case}/answer")
def answer(uow: Writing, case: str, body: GivenAnswer) -> Case:
    """Answer a case that one has claimed."""
    return service.answer(uow, case, body.answer)


@router.post("/api/support/{case}/close")
def close(uow: Writing, case: str) -> Case:
    """End a case, answered or not."""
    return service.close(uow, case)
