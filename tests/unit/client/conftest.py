"""A stand-in for a server: answers that a test prepared, and the requests it got."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from opsloop.client.connection import Connection


class Answers(httpx.BaseTransport):
    """Answers every request with what `answer` gives, and keeps the requests."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.requests: list[httpx.Request] = []
        self._answer = answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        return self._answer(request)


Connecting = Callable[[Callable[[httpx.Request], httpx.Response]], tuple[Connection, Answers]]


@pytest.fixture
def connecting() -> Connecting:
    def connect(answer: Callable[[httpx.Request], httpx.Response]) -> tuple[Connection, Answers]:
        transport = Answers(answer)
        return Connection("http://ops.test", token="opl_t", timeout_s=5.0, transport=transport), transport

    return connect
