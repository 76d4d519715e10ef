from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.llm.tabs import ModelCalls
from opsloop.monitoring import records
from opsloop.monitoring.api import router
from opsloop.monitoring.models import RequestRecord


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


def put(workspace: Workspace, by: Caller, request_id: str) -> None:
    record = RequestRecord(
        request_id=request_id,
        endpoint="chat",
        release="rel_1",
        arm="stable",
        subject="5ub",
        started_at=workspace.clock.now(),
        duration_ms=4.0,
        status="ok",
        calls=(ModelCalls("mini", 1, 20, 5, 9_000),),
    )
    with workspace.writing(by) as uow:
        records.ingest(uow, [record])


def test_traffic_has_figures_and_points(call: httpx.Client, sqlite_workspace: Workspace, admin: Caller) -> None:
    put(sqlite_workspace, admin, "req_1")
    found = call.get("/api/endpoints/chat/traffic", params={"window": 60, "points": 6}).json()
    assert found["summary"]["requests"] == 1
    assert found["summary"]["arms"][0]["p95_ms"] == 4.0
    assert [(point["arm"], point["count"]) for point in found["series"]] == [("stable", 1)]


def test_requests_are_listed_in_pages_with_every_field(
    call: httpx.Client, sqlite_workspace: Workspace, admin: Caller
) -> None:
    for number in range(3):
        put(sqlite_workspace, admin, f"req_{number}")
    first = call.get("/api/requests", params={"limit": 2}).json()
    second = call.get("/api/requests", params={"limit": 2, "before": first["next"]}).json()
    assert [found["request_id"] for found in first["items"] + second["items"]] == ["req_2", "req_1", "req_0"]
    assert second["next"] is None
    assert first["items"][0]["shielded"] is False
    assert first["items"][0]["http_status"] == 200
    assert first["items"][0]["calls"] == [{"model": "mini", "tokens_in": 20, "tokens_out": 5, "nano_usd": 9_000}]
