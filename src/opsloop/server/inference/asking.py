"""Ask the application that answers HTTP, within the process: the same door, limits, records and errors for gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    @property
    def is_well(self) -> bool:
        return self.status == HTTPStatus.OK


class Asking:
    """Args:
    app: answers the routes under /v2.
    host: it is asked for, as `Host:`.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._host = host.encode()
        self._under_way: set[asyncio.Task[None]] = set()

    async def ask(
        self, method: str, path: str, headers: Sequence[tuple[bytes, bytes]], body: bytes, client: str
    ) -> Answer:
        """Cancelled, the application learns that its caller is gone."""
        gone, got = asyncio.Event(), _Got()
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if messages:
                return messages.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        task = asyncio.ensure_future(self._run(self._scope(method, path, headers, len(body), client), receive, got))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            await asyncio.shield(task)
        finally:
            gone.set()
        return Answer(got.status, bytes(got.body))

    async def _run(self, scope: Scope, receive: Receive, got: _Got) -> None:
        await self._app(scope, receive, got.take)

    def _scope(self, method: str, path: str, headers: Sequence[tuple[bytes, bytes]], length: int, client: str) -> Scope:
        fixed = [
            (b"host", self._host),
            (b"content-type", b"application/json"),
            (b"content-length", str(length).encode()),
        ]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "2",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [*fixed, *headers],
            "client": (client, 0),
            "server": None,
        }


class _Got:
    def __init__(self) -> None:
        self.status = 500
        self.body = bytearray()

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.body += message.get("body", b"")
