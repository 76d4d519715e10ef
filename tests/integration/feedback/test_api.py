from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.feedback.api import router


@pytest.fixture
def call(sqlite_workspace: Workspace, admin: Caller) -> Iterator[httpx.Client]:
    from fastapi.testclient import TestClient

    app = FastAPI()
    app.state.workspace = sqlite_workspace
    app.router.routes.extend(router.routes)

    async def authenticated(scope: Scope, receive: Receive, send: Send) -> None:
        scope["opsloop.caller"] = admin
        await app(scope, receive, send)

    with TestClient(authenticated) as client:
        yield client  # type: ignore[misc]


def test_feedback_is_taken_and_listed(call: httpx.Client) -> None:
    answer = call.post("/feedback", json={"request_id": "req_1", "thumb": "up", "comment": "good"})
    assert answer.status_code == 201
    call.post("/feedback", json={"request_id": "req_2", "score": 0.2})
    listed = call.get("/api/feedback", params={"limit": 1}).json()
    assert [found["request_id"] for found in listed["items"]] == ["req_2"]
    older = call.get("/api/feedback", params={"limit": 1, "before": listed["next"]}).json()
    assert older["items"] == [answer.json()]
    summary = call.get("/api/feedback/summary").json()
    assert (summary["count"], summary["satisfaction"]) == (2, 0.5)


def test_an_unknown_field_is_refused(call: httpx.Client) -> None:
    answer = call.post("/feedback", json={"request_id": "req_1", "thumbs": "up"})
    assert answer.status_code == 422
