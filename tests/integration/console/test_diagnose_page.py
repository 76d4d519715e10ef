"""`/diagnose`: a pasted log, its cause and the lines that show it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace

LOG = (
    "##[group]Run npm ci\r\nnpm ERR! code ERESOLVE\r\n"
    "<script>alert(1)</script> failed\r\n##[error]Process completed with exit code 1.\r\n"
)


@pytest.fixture
def call(sqlite_workspace: Workspace, admin: Caller) -> Iterator[httpx.Client]:
    from fastapi.testclient import TestClient
    from starlette.types import Receive, Scope, Send

    from opsloop.server.control_plane import control_plane

    app = control_plane(sqlite_workspace)

    async def authenticated(scope: Scope, receive: Receive, send: Send) -> None:
        scope["opsloop.caller"] = admin
        await app(scope, receive, send)

    with TestClient(authenticated) as client:
        yield client  # type: ignore[misc]


def test_the_page_asks_for_a_log(call: httpx.Client) -> None:
    answer = call.get("/diagnose", headers={"accept": "text/html"})
    assert answer.status_code == 200
    assert 'name="log"' in answer.text


def test_a_pasted_log_shows_its_cause_and_marks_its_evidence(call: httpx.Client) -> None:
    text = call.post("/diagnose/shown", data={"log": LOG}).text
    assert "npm finds no versions that satisfy all peers." in text
    assert '<a href="#L2">line 2</a>' in text
    assert '<mark id="L2">' in text
    assert "<script>alert" not in text


@pytest.mark.parametrize(
    ("form", "said"),
    [({"log": " "}, "Paste the text"), ({"log": "x", "workflow": "{"}, "workflow: not YAML")],
)
def test_what_cannot_be_diagnosed_is_said_on_the_page(call: httpx.Client, form: dict[str, str], said: str) -> None:
    answer = call.post("/diagnose/shown", data=form)
    assert answer.status_code == 422
    assert said in answer.text
