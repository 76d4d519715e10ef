"""More requests that write than the server has threads: each is answered, and none waits for a thread for ever."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import httpx
import pytest

from opsloop.core.workspace import Workspace
from opsloop.server.platform import Platform

AT_ONCE = 60  # half as many again as there are threads


@pytest.mark.anyio
async def test_writers_do_not_take_each_others_threads(workspace: Workspace) -> None:
    def request(number: int) -> tuple[str, dict[str, Any]]:
        if number % 3:
            return "/feedback", {"request_id": f"req_{number}", "thumb": "up"}
        text = base64.b64encode(f"Document {number} tells of refund {number}.".encode()).decode()
        return "/upload", {"filename": f"{number}.txt", "content_base64": text}

    transport = httpx.ASGITransport(Platform(workspace).app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as http:
        asked = [request(number) for number in range(AT_ONCE)]
        answers = await asyncio.gather(*(http.post(path, json=body) for path, body in asked))
    refused = [(answer.status_code, answer.text) for answer in answers if answer.status_code not in (200, 201)]
    assert refused == []
