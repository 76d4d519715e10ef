from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.monitoring.objectives import tallying
from opsloop.monitoring.objectives.models import Measure, Tally
from opsloop.monitoring.objectives.tallying import Entry
from opsloop.server.control_plane import control_plane


@pytest.fixture
def call(sqlite_workspace: Workspace, admin: Caller) -> Iterator[httpx.Client]:
    app = control_plane(sqlite_workspace)

    async def authenticated(scope: Scope, receive: Receive, send: Send) -> None:
        scope["opsloop.caller"] = admin
        await app(scope, receive, send)

    with TestClient(authenticated) as client:
        yield client  # type: ignore[misc]


def test_declared_objectives_are_told_with_their_standing(
    call: httpx.Client, sqlite_workspace: Workspace, admin: Caller
) -> None:
    with sqlite_workspace.writing(admin) as uow:
        tallying.add(uow, [Entry("chat", Measure.AVAILABILITY, uow.clock.now(), Tally(1_000, 900))])
    answer = call.put("/api/endpoints/chat/objectives", json={"availability": 0.99, "privacy": False})
    assert answer.status_code == 200
    found = call.get("/api/endpoints/chat/objectives").json()
    assert found["declared"] == {"availability": 0.99, "privacy": False}
    first = found["items"][0]
    assert (first["name"], first["state"], first["bad"]) == ("availability", "broken", 100)
    assert "too much is used" in first["sentence"]
    assert {each["endpoint"] for each in call.get("/api/objectives").json()["items"]} == {"chat"}


def test_wrong_objectives_are_named(call: httpx.Client) -> None:
    answer = call.put("/api/endpoints/chat/objectives", json={"availability": 99.9})
    assert answer.status_code == 422
    assert "objectives.availability.target: is 99.9" in answer.json()["detail"]


def test_withdrawn_objectives_leave_the_defaults(call: httpx.Client) -> None:
    call.put("/api/endpoints/chat/objectives", json={"availability": 0.5})
    call.delete("/api/endpoints/chat/objectives")
    found = call.get("/api/endpoints/chat/objectives").json()
    assert found["declared"] is None
    assert found["items"][0]["target"] == 0.999
    assert found["items"][0]["state"] == "no_data"


def test_hostile_names_do_no_harm(call: httpx.Client) -> None:
    assert call.get("/api/endpoints/%00x/objectives").status_code == 200
    assert call.put("/api/endpoints/%00x/objectives", json={}).status_code == 422
    call.put('/api/endpoints/a"b/objectives', json={"availability": 0.9})
    assert 'endpoint=\\"a\\\\\\"b\\"' in call.get("/api/objectives/rules").text
