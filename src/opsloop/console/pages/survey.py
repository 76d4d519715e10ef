"""`/survey/{invitation}`: the form of a survey, for whoever has its link; no key, no script, no cookie."""

from __future__ import annotations

import threading
from typing import Annotated
from weakref import WeakKeyDictionary

from fastapi import Depends, Request
from fastapi.responses import Response

from opsloop.console.page import Frame, page
from opsloop.console.page_router import PageRouter
from opsloop.core.caller import system
from opsloop.core.errors import Conflict, InvalidInput, NotFound, RateLimited
from opsloop.core.web import problems
from opsloop.core.web.dependencies import Opened
from opsloop.core.workspace import Workspace
from opsloop.feedback.settings import FeedbackSettings
from opsloop.feedback.surveys import service
from opsloop.feedback.surveys.pacing import Pace

router = PageRouter()
_BY = system("survey")
_PACES: WeakKeyDictionary[Workspace, Pace] = WeakKeyDictionary()
_LOCK = threading.Lock()


async def _fields(request: Request) -> dict[str, str]:
    """What a form holds; files are left out."""
    async with request.form(max_files=0, max_fields=100) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


@router.get("/survey/{invitation}")
def form(request: Request, workspace: Opened, invitation: str) -> Response:
    return _shown(request, workspace, invitation, {})


@router.post("/survey/{invitation}")
def respond(
    request: Request, workspace: Opened, invitation: str, given: Annotated[dict[str, str], Depends(_fields)]
) -> Response:
    """Take the response, or show the form again with what is wrong."""
    try:
        _admit(request, workspace)
        with workspace.writing(_BY) as uow:
            service.respond(uow, invitation, given)
    except InvalidInput as error:
        return _shown(request, workspace, invitation, given, fault=error, is_admitted=True)
    except (NotFound, Conflict, RateLimited) as error:
        return _over(request, error)
    return page(request, "survey_over.html", Frame("Thank you"), says="Your answers were sent.")


def _shown(
    request: Request,
    workspace: Workspace,
    invitation: str,
    given: dict[str, str],
    *,
    fault: InvalidInput | None = None,
    is_admitted: bool = False,
) -> Response:
    try:
        if not is_admitted:
            _admit(request, workspace)
        with workspace.reading(_BY) as uow:
            found = service.opened(uow, invitation)
    except (NotFound, Conflict, RateLimited) as error:
        return _over(request, error)
    return page(
        request,
        "survey.html",
        Frame(found.asks.title),
        status=200 if fault is None else 422,
        asks=found.asks,
        here=found.invitation.path,
        given=given,
        fault=fault.sentence if fault else "",
        wrong=fault.facts.get("field") if fault else None,
    )


def _over(request: Request, error: NotFound | Conflict | RateLimited) -> Response:
    says = error.sentence[:1].upper() + error.sentence[1:] + "."
    return page(request, "survey_over.html", Frame("Survey"), status=problems.status_of(error), says=says)


def _admit(request: Request, workspace: Workspace) -> None:
    with _LOCK:
        pace = _PACES.get(workspace)
        if pace is None:
            limit = workspace.section(FeedbackSettings).survey_requests_per_minute
            pace = _PACES[workspace] = Pace(workspace.clock, limit)
    pace.admit(request.client.host if request.client else "unknown")
