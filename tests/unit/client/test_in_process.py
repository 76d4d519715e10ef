from __future__ import annotations

import asyncio
import threading

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from opsloop.client.in_process import ASGIApp, InProcess, Message
from opsloop.core.errors import Conflict


class App:
    """An application that records its life."""

    def __init__(self) -> None:
        self.life: list[str] = []
        self._app = Starlette(routes=[Route("/echo", self._echo, methods=["POST"]), Route("/lines", self._lines)])

    async def __call__(self, scope: Message, receive: object, send: object) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)  # type: ignore[arg-type]  # the same form under another name
            return
        await receive()  # type: ignore[operator]
        self.life.append("start")
        await send({"type": "lifespan.startup.complete"})  # type: ignore[operator]
        await receive()  # type: ignore[operator]
        self.life.append("stop")
        await send({"type": "lifespan.shutdown.complete"})  # type: ignore[operator]

    async def _echo(self, request: Request) -> JSONResponse:
        return JSONResponse({"got": (await request.body()).decode(), "thread": threading.current_thread().name})

    async def _lines(self, request: Request) -> StreamingResponse:
        return StreamingResponse(iter([b"a\n", b"b\n"]))


def test_requests_are_answered_by_the_application_in_a_thread_of_its_own() -> None:
    app = App()
    with httpx.Client(transport=InProcess(app), base_url="http://localhost") as client:
        answer = client.post("/echo", content=iter([b"one ", b"two"]))
        lines = client.get("/lines")

    assert answer.json() == {"got": "one two", "thread": "opsloop-local"}
    assert lines.content == b"a\nb\n"
    assert app.life == ["start", "stop"]


def test_many_threads_may_ask_at_once() -> None:
    answers: list[str] = []
    with httpx.Client(transport=InProcess(App()), base_url="http://localhost") as client:
        threads = [
            threading.Thread(target=lambda n=n: answers.append(client.post("/echo", content=str(n)).json()["got"]))
            for n in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(answers) == sorted(str(n) for n in range(20))


def test_what_the_application_raises_at_its_start_reaches_the_caller() -> None:
    async def held(scope: Message, receive: object, send: object) -> None:
        raise Conflict("somebody holds the folder")

    with pytest.raises(Conflict, match="somebody holds the folder"):
        InProcess(held)
    assert not [thread for thread in threading.enumerate() if thread.name == "opsloop-local"]


def test_an_answer_that_does_not_come_ends_in_a_timeout() -> None:
    class Silent(App):
        async def _echo(self, request: Request) -> JSONResponse:
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

    silent: ASGIApp = Silent()
    with (
        httpx.Client(transport=InProcess(silent), base_url="http://localhost", timeout=0.01) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.post("/echo")
