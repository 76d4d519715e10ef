"""`/support` and `/support/cases/{id}`: conversations that a person is to answer, and the answering."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Form, Query, Request
from fastapi.responses import Response

from opsloop.console import live, words
from opsloop.console.page import Frame, Place, page, see_other, shape_of
from opsloop.console.page_router import PageRouter
from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.workspace import UnitOfWork
from opsloop.guardrails.support import service
from opsloop.guardrails.support.models import CaseState

router = PageRouter()
CASES = 200
Move = Literal["claim", "take-over", "answer", "close"]


@live.topic("support")
def look(uow: UnitOfWork, argument: str) -> live.Snapshot:
    """`support:open`, the cases in a state; `support:` all of them."""
    state = CaseState(argument) if argument in list(CaseState) else None
    return live.Snapshot({}, _shape(uow, state))


@live.topic("case")
def look_at_one(uow: UnitOfWork, argument: str) -> live.Snapshot:
    found = service.get(uow, argument)
    return live.Snapshot({}, shape_of([found.state, found.claimed_by]))


def _shape(uow: UnitOfWork, state: CaseState | None) -> str:
    return shape_of([(each.id, each.state, each.claimed_by) for each in service.listed(uow, state=state, limit=CASES)])


@router.get("/support")
def listed(
    request: Request, uow: Reading, state: CaseState | None = None, before: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    found = service.listed(uow, state=state, before=before or None, limit=CASES)
    chosen = state.value if state is not None else ""
    frame = Frame(
        "Support",
        cli=f"opsloop support list --state {chosen}" if chosen else "opsloop support list",
        json=f"/api/support?state={chosen}" if chosen else "/api/support",
        topics=() if before else (f"support:{chosen}",),
        shape="" if before else _shape(uow, state),
    )
    return page(
        request,
        "support.html",
        frame,
        cases=found,
        state=chosen,
        states=[each.value for each in CaseState],
        waiting=service.waiting(uow),
        older=found[-1].id if len(found) == CASES else "",
        now=uow.clock.now(),
    )


@router.get("/support/cases/{case}")
def shown(request: Request, uow: Reading, case: str) -> Response:
    found = service.get(uow, case)
    frame = Frame(
        f"Case {found.id}",
        trail=(Place("Support", "/support"),),
        cli=f"opsloop support show {found.id}",
        json=f"/api/support/{words.segment(found.id)}",
        topics=() if found.state is CaseState.CLOSED else (f"case:{found.id}",),
        shape=shape_of([found.state, found.claimed_by]),
    )
    is_mine = found.claimed_by == uow.by.name
    return page(request, "support_case.html", frame, case=found, is_mine=is_mine, now=uow.clock.now())


@router.post("/support/cases/{case}/{move}")
def act(uow: Writing, case: str, move: Move, answer: Annotated[str, Form(max_length=100_000)] = "") -> Response:
    """Raises: Denied, NotFound, CaseHeld, CaseNotClaimed, CaseIsPast, InvalidInput."""
    if move == "answer":
        # A form sends line breaks as two characters.
        service.answer(uow, case, answer.replace("\r\n", "\n"))
    elif move == "close":
        service.close(uow, case)
    else:
        service.claim(uow, case, take_over=move == "take-over")
    return see_other(f"/support/cases/{words.segment(case)}")
