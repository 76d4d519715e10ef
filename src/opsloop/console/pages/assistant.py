"""`/assistant`: a question of an operator, answered with quotes of what is stored, each with where it stands."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Form, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from opsloop.console import marking
from opsloop.console.page import Frame, page
from opsloop.console.page_router import PageRouter
from opsloop.core.caller import Caller
from opsloop.core.errors import InvalidInput
from opsloop.core.web.dependencies import Asking, Opened, Reading
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.incidents import service as incidents
from opsloop.remediation.assistant import service
from opsloop.remediation.assistant.models import Reply

router = PageRouter()
MOST_INCIDENTS = 20
CHARS = 20_000  # what is too long for a question is said on the page


@dataclass(frozen=True, slots=True)
class Choice:
    """An incident that a question may be about alone."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Args: incident: the only one that is looked at; empty: all that is stored. trouble: why there is no answer."""

    question: str = ""
    incident: str = ""
    trouble: str = ""


@router.get("/assistant")
def shown(request: Request, uow: Reading, incident: Annotated[str, Query(max_length=100)] = "") -> Response:
    """Raises: NotFound of an incident that is not there."""
    return _page(request, Asked(incident=incident), _choices(uow, incident), None)


@router.post("/assistant")
async def answered(
    request: Request,
    workspace: Opened,
    caller: Asking,
    question: Annotated[str, Form(max_length=CHARS)] = "",
    incident: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Raises: NotFound of an incident that is not there."""
    question = question.replace("\r\n", "\n").strip()
    choices = await run_in_threadpool(_read, workspace, caller, incident)
    try:
        reply = await service.ask(workspace, caller, question, incident=incident or None)
    except InvalidInput as error:
        return _page(request, Asked(question, incident, error.sentence), choices, None)
    return _page(request, Asked(question, incident), choices, reply)


def _read(workspace: Workspace, caller: Caller, incident: str) -> list[Choice]:
    with workspace.reading(caller) as uow:
        return _choices(uow, incident)


def _choices(uow: UnitOfWork, incident: str) -> list[Choice]:
    """The newest incidents, and the one that is asked about wherever it stands."""
    found = [Choice(each.id, each.title) for each in incidents.list_incidents(uow, limit=MOST_INCIDENTS)]
    if incident and incident not in {each.id for each in found}:
        found.insert(0, Choice(incident, incidents.get(uow, incident).title))
    return found


def _page(request: Request, asked: Asked, choices: Sequence[Choice], reply: Reply | None) -> Response:
    marked = marking.numbered(reply.answer, [each.quote for each in reply.citations]) if reply is not None else []
    only = f" --incident {shlex.quote(asked.incident)}" if asked.incident else ""
    return page(
        request,
        "assistant.html",
        Frame(
            "Assistant", cli=f"opsloop remediation ask {shlex.quote(asked.question or 'Which release serves?')}{only}"
        ),
        status=422 if asked.trouble else 200,
        asked=asked,
        choices=choices,
        reply=reply,
        marked=marked,
        longest=service.LONGEST,
    )
