"""`/endpoints/{name}/renewal`: the yes or no to a challenger that passed its gate, with what it is decided on."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Form, Query, Request
from fastapi.responses import Response

from opsloop.console import renewals, words
from opsloop.console.page import Frame, Place, page, see_other
from opsloop.console.page_router import PageRouter
from opsloop.core.caller import Role
from opsloop.core.web.dependencies import Reading, Writing
from opsloop.releases.renewals import service

router = PageRouter()


@router.get("/endpoints/{name}/renewal")
def confirm(request: Request, uow: Reading, name: str, renewal: Annotated[str, Query(max_length=100)]) -> Response:
    """Raises: Denied, RenewalMissing, NothingToApprove."""
    uow.by.require(Role.OPERATOR)
    found = service.awaiting(uow, renewal)
    here = f"/endpoints/{words.segment(name)}"
    frame = Frame(
        f"Let {found.challenger} serve?",
        trail=(Place("Overview", "/"), Place(name, here)),
        cli=f"opsloop renewal approve {found.id}",
        json=f"/api/renewals/{words.segment(found.id)}",
    )
    history = [renewals.Happened(each, renewals.href(each, name)) for each in service.get(uow, found.id).events]
    return page(request, "renewal.html", frame, renewal=found, history=history, here=here, now=uow.clock.now())


@router.post("/endpoints/{name}/renewal")
def decide(
    uow: Writing,
    name: str,
    renewal: Annotated[str, Form(max_length=100)],
    answer: Annotated[Literal["yes", "no"], Form()],
    reason: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """Raises: Denied, RenewalMissing, RenewalIsOver, NothingToApprove, InvalidInput."""
    if answer == "yes":
        service.approve(uow, renewal)
    else:
        service.reject(uow, renewal, reason=reason)
    return see_other(f"/endpoints/{words.segment(name)}#renewals")
