"""`/remediations/{id}`: one repair, what a yes would do, and the forms that say yes, say no, take back, ask again."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import Response

from opsloop.console import live, repair_words, words
from opsloop.console.page import Frame, Place, page, see_other, shape_of
from opsloop.console.page_router import PageRouter
from opsloop.core.caller import Role
from opsloop.core.errors import NotFound
from opsloop.core.web.dependencies import Asking, Opened, Reading, Writing
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import service as incidents
from opsloop.remediation import halts, service
from opsloop.remediation.actions.registry import action_of
from opsloop.remediation.models import Remediation, State

router = PageRouter()
UNDONE_FROM = (State.CHECKING, State.HELPED, State.NOT_HELPED)


@live.topic("remediation")
def look(uow: UnitOfWork, argument: str) -> live.Snapshot:
    return live.Snapshot({}, _shape(uow, service.get(uow, argument)))


def _shape(uow: UnitOfWork, found: Remediation) -> str:
    state = found.stands(uow.clock.now())
    return shape_of([state, found.digest, found.findings, len(found.votes), found.outcome, halts.present(uow)])


@router.get("/remediations/{remediation}")
def shown(request: Request, uow: Reading, remediation: str) -> Response:
    """Raises: NotFound."""
    found = service.get(uow, remediation)
    now, halt = uow.clock.now(), halts.present(uow)
    state = found.stands(now)
    may_decide = uow.by.role.includes(Role.OPERATOR)
    frame = Frame(
        found.title,
        trail=(Place("Repairs", "/remediations"),),
        cli=f"opsloop remediation show {found.id}",
        json=f"/api/remediations/{words.segment(found.id)}",
        topics=(f"remediation:{found.id}",),
        shape=_shape(uow, found),
    )
    return page(
        request,
        "remediation.html",
        frame,
        it=found,
        state=state,
        sentence=repair_words.sentence(found, now),
        level=found.level.does,
        incident=_title(uow, found.incident),
        undoes=bool(found.action) and action_of(found.action).can_undo,
        why_not=repair_words.why_not(found, uow.by, halt, now) if found.waits else "",
        may_undo=may_decide and found.can_undo and found.state in UNDONE_FROM and not found.is_rehearsal,
        may_renew=may_decide and found.state in service.RENEWED,
        may_reject=may_decide and found.state is State.PROPOSED,
        now=now,
    )


@router.post("/remediations/{remediation}/approve")
def approve(
    uow: Writing,
    remediation: str,
    digest: Annotated[str, Form(min_length=16, max_length=64)],
    reason: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Raises: Denied, NotFound, InvalidInput, NotWaiting, OnlyAdvice, QuestionLapsed, AnotherShown, Halted."""
    service.approve(uow, remediation, digest=digest, reason=reason)
    return _back(remediation)


@router.post("/remediations/{remediation}/reject")
def reject(
    uow: Writing,
    remediation: str,
    digest: Annotated[str, Form(min_length=16, max_length=64)],
    reason: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Raises: Denied, NotFound, InvalidInput, NotWaiting, AnotherShown."""
    service.reject(uow, remediation, digest=digest, reason=reason)
    return _back(remediation)


@router.post("/remediations/{remediation}/undo")
def undo(uow: Writing, remediation: str, reason: Annotated[str, Form(max_length=2_000)] = "") -> Response:
    """Raises: Denied, NotFound, InvalidInput, NothingToUndo."""
    service.undo(uow, remediation, reason=reason)
    return _back(remediation)


@router.post("/remediations/{remediation}/renew")
def renew(workspace: Opened, caller: Asking, remediation: str) -> Response:
    """Raises: Denied, NotFound, CannotRenew."""
    service.renew(workspace, caller, remediation)
    return _back(remediation)


@router.post("/incidents/{incident}/remediations")
def look_again(workspace: Opened, caller: Asking, incident: str) -> Response:
    """Look again for what could be done about an incident. Raises: Denied, NotFound."""
    found = service.propose(workspace, caller, incident)
    return see_other(f"/incidents/{words.segment(incident)}?proposed={len(found)}#repairs")


def _title(uow: UnitOfWork, incident: str | None) -> str:
    """The incident's words; its id when it is kept no longer."""
    if incident is None:
        return ""
    try:
        return incidents.get(uow, incident).title
    except NotFound:
        return incident


def _back(remediation: str) -> Response:
    return see_other(f"/remediations/{words.segment(remediation)}")
