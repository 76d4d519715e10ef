"""HTTP: what a program sends and gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from opsloop.core.caller import Caller
from opsloop.core.errors import OpsloopError
from opsloop.core.web import problems
from opsloop.core.workspace import Workspace
from opsloop.releases.api import router
from opsloop.releases.models import RolloutStatus
from tests.integration.releases.conftest import OPERATOR


async def problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, OpsloopError)
    document = problems.problem(error)
    return Response(problems.body_of(document), status_code=document["status"], media_type=problems.MEDIA_TYPE)


@pytest.fixture
def call(sqlite_workspace: Workspace, registered: Callable[[Workspace, str], str]) -> Iterator[httpx.Client]:
    for text in ("one", "two"):
        registered(sqlite_workspace, text)
    app = FastAPI()
    app.state.workspace = sqlite_workspace
    app.router.routes.extend(router.routes)
    app.add_exception_handler(OpsloopError, problem)

    async def authenticated(scope: Scope, receive: Receive, send: Send) -> None:
        scope["opsloop.caller"] = Caller("test:operator", OPERATOR.role)
        await app(scope, receive, send)

    with TestClient(authenticated) as client:
        yield client  # type: ignore[misc]


@pytest.fixture
def live(call: httpx.Client) -> httpx.Client:
    assert call.post("/api/endpoints", json={"name": "chat"}).status_code == 201
    assert call.post("/api/endpoints/chat/releases", json={"flow": "answer@1"}).status_code == 201
    return call


def test_a_release_and_its_rollout_are_answered(live: httpx.Client) -> None:
    answer = live.post("/api/endpoints/chat/releases", json={"flow": "answer@2", "strategy": "canary"})
    made = answer.json()
    assert answer.status_code == 201
    assert (made["release"]["number"], made["rollout"]["status"]) == (2, "waiting")
    found = live.get("/api/endpoints/chat").json()
    assert (found["stable"]["number"], found["candidate"]["number"]) == (1, 2)
    assert found["rollout"] == made["rollout"]
    assert [each["number"] for each in live.get("/api/endpoints/chat/releases").json()["items"]] == [2, 1]
    assert len(live.get("/api/endpoints/chat/rollouts").json()["items"]) == 2
    assert live.get("/api/endpoints").json()["items"] == [found]


@pytest.mark.parametrize(
    ("verbs", "status"),
    [
        (["promote"], RolloutStatus.PROMOTED),
        (["rollback"], RolloutStatus.ROLLED_BACK),
        (["abort"], RolloutStatus.ABORTED),
        (["pause"], RolloutStatus.PAUSED),
        (["pause", "resume"], RolloutStatus.WAITING),
    ],
)
def test_a_rollout_is_steered(live: httpx.Client, verbs: list[str], status: str) -> None:
    rollout = live.post("/api/endpoints/chat/releases", json={"flow": "answer@2"}).json()["rollout"]["id"]
    for verb in verbs:
        answer = live.post(f"/api/rollouts/{rollout}/{verb}")
        assert answer.status_code == 200
    found = live.get(f"/api/rollouts/{rollout}").json()
    assert found["rollout"]["status"] == answer.json()["status"] == status
    assert found["events"][-1]["by"] == "test:operator"


def test_an_endpoint_is_rolled_back(live: httpx.Client) -> None:
    live.post("/api/endpoints/chat/releases", json={"flow": "answer@2", "strategy": {"blue-green": {}}})
    answer = live.post("/api/endpoints/chat/rollback")
    assert (answer.status_code, answer.json()["stable"]["number"]) == (200, 1)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "slug"),
    [
        ("GET", "/api/endpoints/nope", None, 404, "not-found"),
        ("GET", "/api/endpoints/nope/releases", None, 404, "not-found"),
        ("GET", "/api/rollouts/nope", None, 404, "not-found"),
        ("POST", "/api/rollouts/nope/promote", None, 404, "not-found"),
        ("POST", "/api/endpoints", {"name": "chat"}, 409, "endpoint-exists"),
        ("POST", "/api/endpoints", {"name": "No Name"}, 422, "invalid-input"),
        ("POST", "/api/endpoints/chat/releases", {"flow": "answer@1"}, 409, "served-already"),
        ("POST", "/api/endpoints/chat/releases", {"flow": "answer@2", "strategy": "shadow"}, 422, "invalid-input"),
        ("POST", "/api/endpoints/chat/releases", {"flow": "answer@99"}, 404, "flow-version-missing"),
        ("POST", "/api/endpoints/chat/releases", {"flow": "answer@2", "evaluation": "nope"}, 404, "run-missing"),
        ("POST", "/api/endpoints/chat/rollback", None, 409, "no-earlier-release"),
    ],
)
def test_a_wrong_request_is_answered_with_a_problem(
    live: httpx.Client, method: str, path: str, body: object, status: int, slug: str
) -> None:
    answer = live.request(method, path, json=body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:opsloop:problem:{slug}")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/endpoints", {"name": "a", "kind": "flow"}),
        ("/api/endpoints", {}),
        ("/api/endpoints/chat/releases", {"flow": "answer@2", "config": [1]}),
        ("/api/endpoints/chat/releases", {"flow": "answer@2", "gate": "pass"}),
        ("/api/endpoints/chat/releases", {"flow": 2}),
    ],
)
def test_a_body_of_the_wrong_form_is_refused(live: httpx.Client, path: str, body: object) -> None:
    assert live.post(path, json=body).status_code == 422


def test_releases_are_compared_their_history_told_and_one_recalled(live: httpx.Client) -> None:
    made = live.post("/api/endpoints/chat/releases", json={"flow": "answer@2", "strategy": "blue-green"}).json()
    compared = live.get("/api/endpoints/chat/releases/1..2").json()
    assert [each["path"] for each in compared["files"]] == ["echo.py"]
    assert live.get("/api/endpoints/chat/releases/1-2").status_code in (400, 422)
    recalled = live.post(f"/api/releases/{made['release']['id']}/recall", json={"reason": "leaks"}).json()
    assert recalled["effects"][0]["sentence"].startswith("back from release 2 to 1, answer@2 was recalled by")
    told = live.get("/api/endpoints/chat/history").json()["items"]
    assert [each["kind"] for each in told] == ["taken_back", "promoted", "promoted"]
    again = live.post("/api/endpoints/chat/releases", json={"flow": "answer@2"})
    assert (again.status_code, "recalled by test:operator: leaks" in again.text) == (409, True)
    assert live.get("/api/endpoints/chat/releases").json()["items"][0]["left_for"] is not None


def test_the_report_of_an_experiment_is_json_or_a_page(live: httpx.Client) -> None:
    strategy = {"ab": {"metrics": ["error"], "duration_s": 60}}
    released = live.post("/api/endpoints/chat/releases", json={"flow": "answer@2", "strategy": strategy}).json()
    address = f"/api/rollouts/{released['rollout']['id']}/report"
    told = live.get(address).json()
    assert (told["outcome"], told["metrics"][0]["standing"], told["is_over"]) == ("inconclusive", "unclear", False)
    page = live.get(address, params={"format": "html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "attachment" in page.headers["content-disposition"]
    assert "A/B test of chat: release 2 beside release 1" in page.text
    assert "script" not in page.text
    assert live.get("/api/rollouts/nothing/report").status_code == 404


def test_a_freeze_is_begun_told_and_ended(live: httpx.Client) -> None:
    made = live.post("/api/freezes", json={"reason": "audit", "until": "2099-01-01T00:00:00+01:00"})
    assert (made.status_code, made.json()["endpoint"]) == (201, None)
    released = live.post("/api/endpoints/chat/releases", json={"flow": "answer@2", "strategy": "blue-green"}).json()
    assert released["rollout"]["status"] == "waiting"
    refused = live.post(f"/api/rollouts/{released['rollout']['id']}/promote")
    assert (refused.status_code, "every endpoint is frozen until 2098-12-31" in refused.text) == (409, True)
    assert live.post(f"/api/rollouts/{released['rollout']['id']}/override", json={"reason": "x"}).status_code == 403
    assert len(live.get("/api/freezes", params={"active": True}).json()["items"]) == 1
    assert live.post("/api/freezes/thaw", json={}).status_code == 200
    assert live.get("/api/freezes", params={"active": True}).json()["items"] == []
    assert live.post("/api/freezes", json={"reason": "audit", "endpoint": "nothing"}).status_code == 404


def test_an_answer_to_nothing_is_a_conflict(live: httpx.Client) -> None:
    strategy = {"canary": {"approval": "before"}}
    released = live.post("/api/endpoints/chat/releases", json={"flow": "answer@2", "strategy": strategy}).json()
    address = f"/api/rollouts/{released['rollout']['id']}"
    answer = live.post(f"{address}/approve", json={"digest": "0" * 64})
    assert (answer.status_code, "waits for no approval" in answer.text) == (409, True)
    assert live.get("/api/approvals").json() == {"items": [], "next": None}
    assert live.get(address).json()["approvals"] == []
