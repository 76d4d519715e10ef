"""`/chat/{endpoint}`: talk to an endpoint. With scripts the answer streams in; without, the form asks and shows."""

from __future__ import annotations

import shlex
from typing import Annotated

import msgspec
from fastapi import Form, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from opsloop.console import words
from opsloop.console.asking import Reply, Turn, ask
from opsloop.console.page import Frame, Place, page
from opsloop.console.page_router import PageRouter
from opsloop.core.errors import InvalidInput
from opsloop.core.web.dependencies import Asking, Opened, Reading
from opsloop.releases import service as releases
from opsloop.releases.models import EndpointState

router = PageRouter()
MAX_QUESTION = 20_000
MAX_HISTORY = 400_000
MOST_TURNS = 40
_history = msgspec.json.Decoder(list[Turn])


@router.get("/chat/{endpoint}")
def chat(request: Request, uow: Reading, endpoint: str) -> Response:
    return _page(request, releases.endpoint(uow, endpoint), [], None, "")


@router.post("/chat/{endpoint}")
async def asked(
    request: Request,
    workspace: Opened,
    caller: Asking,
    endpoint: str,
    question: Annotated[str, Form(max_length=MAX_QUESTION)] = "",
    history: Annotated[str, Form(max_length=MAX_HISTORY)] = "[]",
    user: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """The same page with the answer; `history` is what the page remembers for a browser without scripts."""

    def state() -> EndpointState:
        with workspace.reading(caller) as uow:
            return releases.endpoint(uow, endpoint)

    found = await run_in_threadpool(state)
    turns = _turns(history)
    if not question.strip():
        return _page(request, found, turns, None, user)
    turns = [*turns, Turn("user", question)]
    reply = await ask(request, endpoint, turns, user)
    return _page(request, found, turns, reply, user)


def _turns(history: str) -> list[Turn]:
    try:
        return _history.decode(history)[-MOST_TURNS:]
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidInput(field="history", value=history, wanted="the conversation as the page sent it") from error


def _page(request: Request, state: EndpointState, turns: list[Turn], reply: Reply | None, user: str) -> Response:
    name = state.endpoint.name
    body = f'{{"model": "{name}", "messages": [{{"role": "user", "content": "…"}}]}}'
    frame = Frame(
        f"Chat with {name}",
        trail=(Place("Overview", "/"), Place(name, f"/endpoints/{words.segment(name)}")),
        cli=f"curl {request.url.scheme}://{request.url.netloc}/v1/chat/completions -d {shlex.quote(body)}",
        json=f"/v1/models/{words.segment(name)}",
    )
    remembered = [*turns, Turn("assistant", reply.content)] if reply and not reply.failed else turns
    return page(
        request,
        "chat.html",
        frame,
        state=state,
        turns=turns,
        reply=reply,
        user=user,
        history=msgspec.json.encode(remembered).decode(),
    )
