"""`POST /diagnose`, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace

LOG = "##[group]Run npm ci\nnpm ERR! code ERESOLVE\n##[error]Process completed with exit code 1.\n"


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


def test_a_log_as_text_and_as_json_gets_the_same_diagnosis(call: httpx.Client) -> None:
    as_text = call.post("/diagnose", content=LOG, headers={"content-type": "text/plain"})
    as_json = call.post("/diagnose", json={"log": LOG, "provider": "github"})
    assert as_text.status_code == 200
    assert as_text.json() == as_json.json() | {"similar": []}
    assert [each["share"] for each in as_json.json()["similar"]] == [1.0]
    found = as_text.json()
    assert found["root_cause"] == "npm finds no versions that satisfy all peers."
    assert found["evidence"][0] == {"line": 2, "text": "npm ERR! code ERESOLVE"}
    assert (found["yaml_patch"], found["category"], found["engine"]) == (None, "dependency", "rules")


def test_what_a_healthy_run_prints_too_is_no_cause(call: httpx.Client) -> None:
    log = "ERROR: no cache\nboiler empty\n"
    found = call.post("/diagnose", json={"log": log, "healthy": ["ERROR: no cache\n"]}).json()
    assert found["evidence"][0]["text"] == "boiler empty"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"log": ""}, "log: is ''; wanted the text of a log"),
        ({}, "log: is missing"),
        ({"log": "x", "provider": "vax"}, "provider: is 'vax'; wanted one of"),
        ({"log": "x", "workflow_yaml": "{"}, "workflow: not YAML"),
        ({"log": "x", "more": 1}, "more"),
    ],
)
def test_a_wrong_request_is_refused_with_a_sentence(call: httpx.Client, body: object, said: str) -> None:
    answer = call.post("/diagnose", json=body)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_an_empty_body_and_broken_json_are_refused(call: httpx.Client) -> None:
    assert call.post("/diagnose", content=b" ").status_code == 422
    answer = call.post("/diagnose", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 422
