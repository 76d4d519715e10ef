"""`/remediations`: repairs that are proposed, under way and over; the switch that halts them all."""

from __future__ import annotations

from shlex import quote
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Form, Query, Request
from fastapi.responses import Response

from opsloop.console import live
from opsloop.console.page import Frame, page, see_other, shape_of
from opsloop.console.page_router import PageRouter
from opsloop.core.errors import InvalidInput
from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.workspace import UnitOfWork
from opsloop.remediation import halts, service
from opsloop.remediation.models import Remediation, State

router = PageRouter()
LISTED = 100


@live.topic("remediations")
def look(uow: UnitOfWork, argument: str) -> live.Snapshot:
    """All of them, whatever the page narrows them to."""
    return live.Snapshot({}, _shape(uow))


def _shape(uow: UnitOfWork) -> str:
    now = uow.clock.now()
    found = service.listed(uow, limit=LISTED)
    return shape_of([halts.present(uow), [(each.id, each.stands(now)) for each in found]])


@router.get("/remediations")
def listed(
    request: Request,
    uow: Reading,
    waiting: bool = False,
    state: Annotated[str, Query(max_length=20)] = "",
    endpoint: Annotated[str, Query(max_length=100)] = "",
    before: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Raises: InvalidInput, NotFound."""
    if state and state not in list(State):
        raise InvalidInput(field="state", value=state, wanted=f"one of {', '.join(State)}")
    found = service.listed(
        uow,
        waiting=waiting,
        state=State(state) if state else None,
        endpoint=endpoint or None,
        before=before or None,
        limit=LISTED,
    )
    chosen = {"waiting": "true" if waiting else "", "state": state, "endpoint": endpoint}
    options = [
        *(["--waiting"] if waiting else []),
        *([f"--state {quote(state)}"] if state else []),
        *([f"--endpoint {quote(endpoint)}"] if endpoint else []),  # it is copied into a shell
    ]
    older = _query(chosen | {"before": found[-1].id}) if len(found) == LISTED else ""
    now = uow.clock.now()
    frame = Frame(
        "Repairs",
        cli=" ".join(("opsloop remediation list", *options)),
        json=f"/api/remediations{_query(chosen)}",
        topics=() if before else ("remediations:",),
        shape="" if before else _shape(uow),
    )
    return page(
        request,
        "remediations.html",
        frame,
        lines=[(each, each.stands(now), _said(each)) for each in found],
        waiting=waiting,
        state=state,
        endpoint=endpoint,
        states=[each.value for each in State],
        older=older,
        most_reason=halts.LONGEST_REASON,
        now=now,
    )


@router.post("/remediations/halt")
def halt(uow: Writing, reason: Annotated[str, Form(max_length=2_000)] = "") -> Response:
    """Let nothing act any more. Raises: Denied, InvalidInput, HaltedAlready."""
    halts.begin(uow, reason=reason)
    return see_other("/remediations")


@router.post("/remediations/resume")
def resume(uow: Writing) -> Response:
    """Raises: Denied, NotHalted."""
    halts.end(uow)
    return see_other("/remediations")


def _said(found: Remediation) -> str:
    if found.outcome:
        return found.outcome
    return found.acted or (found.preview.sentence if found.preview is not None else "")


def _query(chosen: dict[str, str]) -> str:
    given = urlencode({name: value for name, value in chosen.items() if value})
    return f"?{given}" if given else ""
