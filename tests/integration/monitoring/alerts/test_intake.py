from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from opsloop.monitoring.alerts import intake, service
from opsloop.monitoring.alerts.models import Alert, AlertState
from opsloop.server.control_plane import control_plane


def client_of(workspace: Workspace, by: Caller) -> TestClient:
    app = control_plane(workspace)

    async def authenticated(scope: Scope, receive: Receive, send: Send) -> None:
        scope["opsloop.caller"] = by
        await app(scope, receive, send)

    return TestClient(authenticated)


@pytest.fixture
def call(workspace: Workspace, admin: Caller) -> Iterator[httpx.Client]:
    with client_of(workspace, admin) as client:
        yield client  # type: ignore[misc]


def message(status: str = "firing", **labels: str) -> dict[str, Any]:
    told = {
        "status": status,
        "labels": {"alertname": "DiskFull", "severity": "critical", **labels},
        "annotations": {"summary": "the disk is full"},
        "startsAt": "2027-01-01T00:00:00Z",
        "fingerprint": "abc",
    }
    return {"version": "4", "receiver": "opsloop", "status": status, "alerts": [told]}


def alerts(workspace: Workspace, by: Caller) -> list[Alert]:
    with workspace.reading(by) as uow:
        return service.listed(uow)


def test_an_alert_from_outside_is_taken_in_once(call: httpx.Client, workspace: Workspace, admin: Caller) -> None:
    for _ in range(3):
        assert call.post("/webhooks/alertmanager", json=message()).json() == {"firing": 1, "resolved": 0, "own": 0}
    [found] = alerts(workspace, admin)
    assert (found.source, found.rule, found.severity, found.state) == (
        "alertmanager", "DiskFull", "page", AlertState.FIRING
    )  # fmt: skip
    call.post("/webhooks/alertmanager", json=message("resolved"))
    assert alerts(workspace, admin)[0].state is AlertState.RESOLVED
    assert call.post("/webhooks/alertmanager", json=message("resolved")).status_code == 200


def test_what_went_out_does_not_come_back_in(call: httpx.Client, workspace: Workspace, admin: Caller) -> None:
    answer = call.post("/webhooks/alertmanager", json=message(opsloop_alert="alert_1"))
    assert answer.json()["own"] == 1
    assert alerts(workspace, admin) == []


def test_what_is_not_heard_of_again_is_over(
    call: httpx.Client, workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    call.post("/webhooks/alertmanager", json=message())
    clock.advance(86_400)
    with workspace.writing(admin) as uow:
        intake.expire(uow)
    assert alerts(workspace, admin)[0].state is AlertState.RESOLVED


def test_hostile_text_is_kept_as_text(call: httpx.Client, workspace: Workspace, admin: Caller) -> None:
    body = message(endpoint="a\u0000b\u202e", more="x" * 50_000)
    assert call.post("/webhooks/alertmanager", json=body).status_code == 200
    [found] = alerts(workspace, admin)
    assert found.endpoint == "a b "
    assert len(found.labels["more"]) == 1_000


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"version": "3", "alerts": []}, "version"),
        ({"version": "4"}, "alerts"),
        ({"version": "4", "alerts": [{"status": "sad", "labels": {}}]}, "alerts[0].status"),
        ({"version": "4", "alerts": [{"status": "firing", "labels": {"a": 1}}]}, "labels"),
        ([], "body"),
    ],
)
def test_what_is_wrong_is_named(call: httpx.Client, body: object, field: str) -> None:
    answer = call.post("/webhooks/alertmanager", json=body)
    assert answer.status_code == 422
    assert field in answer.json()["detail"]


def test_a_viewer_tells_nothing(sqlite_workspace: Workspace) -> None:
    with client_of(sqlite_workspace, Caller("test:viewer", Role.VIEWER)) as client:
        assert client.post("/webhooks/alertmanager", json=message()).status_code == 403


def test_rules_and_channels_over_http(call: httpx.Client) -> None:
    rule = {"metric": "error_rate", "above": 0.1}
    assert call.put("/api/alerts/rules/errors", json=rule).json()["declared"] == rule
    assert call.put("/api/alerts/rules/drift", json=False).json()["declared"] == {"off": True}
    names = {each["name"]: each["declared"] for each in call.get("/api/alerts/rules").json()["items"]}
    assert names["errors"] == rule
    assert names["drift"] == {"off": True}
    call.delete("/api/alerts/rules/drift")
    names = {each["name"]: each["declared"] for each in call.get("/api/alerts/rules").json()["items"]}
    assert names["drift"]["event"] == "drift.detected"
    secret = "https://hooks.example.com/very/secret"
    assert call.put("/api/alerts/channels/hook", json={"webhook": secret, "secret": "s"}).status_code == 200
    assert "very" not in call.get("/api/alerts/channels").text
    wrong = call.put("/api/alerts/channels/hook", json={"webhook": "ftp://x/very/secret"})
    assert wrong.status_code == 422
    assert "very" not in wrong.text
    assert call.put("/api/alerts/rules/x", json={"metric": "mood", "above": 1}).status_code == 422


def test_silences_over_http(call: httpx.Client) -> None:
    wanted = {"matchers": {"endpoint": "chat"}, "lasts_s": 60, "reason": "we move it"}
    made = call.post("/api/alerts/silences", json=wanted).json()
    assert [each["id"] for each in call.get("/api/alerts/silences").json()["items"]] == [made["id"]]
    call.delete(f"/api/alerts/silences/{made['id']}")
    assert call.get("/api/alerts/silences").json()["items"] == []
    assert call.post("/api/alerts/silences", json={**wanted, "lasts_s": 0}).status_code == 422
    assert call.post("/api/alerts/silences", json={**wanted, "reason": " "}).status_code == 422
