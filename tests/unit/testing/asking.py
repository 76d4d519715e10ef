"""Ask the app without a wire."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec

from opsloop.testing.app import App

CHAT = "/v1/chat/completions"


@dataclass
class Answered:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def text(self) -> str:
        """The text of a chat's first choice."""
        content: str = self.json["choices"][0]["message"]["content"]
        return content


def ask(
    app: App,
    body: object = b"",
    *,
    path: str = CHAT,
    method: str = "POST",
    headers: dict[str, str] | None = None,
    query: str = "",
) -> Answered:
    """One request. `body` that is no bytes is encoded as JSON."""
    sent = body if isinstance(body, bytes) else msgspec.json.encode(body)
    answered = Answered()

    async def receive() -> Any:
        return {"type": "http.request", "body": sent, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answered.status = message["status"]
            answered.headers = {key.decode(): value.decode("latin-1") for key, value in message["headers"]}
        else:
            answered.body += message["body"]

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(key.encode(), value.encode()) for key, value in (headers or {}).items()],
    }
    asyncio.run(app(scope, receive, send))
    return answered


def chat(*texts: str, **more: Any) -> dict[str, Any]:
    """A request of chat whose user says these, one message each."""
    return {"model": "m", "messages": [{"role": "user", "content": text} for text in texts], **more}
