"""HTTP: support tickets."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.feedback.tickets import service
from opsloop.feedback.tickets.models import TicketGiven, TicketsTaken

router = Router(prefix="/api/tickets", tags=["feedback"])


class TicketsGiven(BaseModel):
    """Tickets of one help desk; `system` is its name, and an `id` is unique within it."""

    model_config = ConfigDict(extra="forbid")

    system: str
    items: list[TicketGiven] = Field(max_length=service.AT_ONCE)


@router.post("")
def take(uow: Writing, given: TicketsGiven) -> TicketsTaken:
    """Take tickets in; one that is known already takes its new state, so sending twice changes nothing."""
    return service.take(uow, given.system, given.items)


@router.delete("/{system}/{outer_id:path}", status_code=204)
def erase(uow: Writing, system: str, outer_id: str) -> None:
    """Let go of a ticket by the id that it has in its help desk."""
    service.erase(uow, system, outer_id)


@router.get("")
def newest(
    uow: Reading,
    system: str | None = None,
    request_id: str | None = None,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Tickets, the ones taken in last first."""
    found = service.newest(uow, system=system, request_id=request_id, before_seq=before, limit=limit)
    return {"items": found, "next": found[-1].seq if len(found) == limit else None}
