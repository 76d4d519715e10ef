"""`POST /webhooks/train/{pipeline}`: who may start a run from elsewhere, and that one delivery starts one."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from opsloop.core.caller import Role
from opsloop.core.identity import keys
from opsloop.core.notices import signatures
from opsloop.server.control_plane import control_plane
from opsloop.server.entrance import Entrance
from tests.integration.training.conftest import Garden

BODY = json.dumps({"reason": "new data", "force": True, "repository": {"name": "x"}}).encode()
PATH = "/webhooks/train/flowers"


class NoDataPlane:
    def owns(self, path: str) -> bool:
        return False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError


@pytest.fixture
def entrance(garden: Garden, monkeypatch: pytest.MonkeyPatch) -> Entrance:
    monkeypatch.setenv("OPSLOOP_AUTH", "keys")
    monkeypatch.setenv("TRAIN_SECRET", "s3cret")
    garden.put(webhook={"secret": "${env:TRAIN_SECRET}"})
    return Entrance(garden.workspace, NoDataPlane(), control_plane(garden.workspace), listens_on_loopback=False)


async def post(entrance: Entrance, *, path: str = PATH, body: bytes = BODY, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(entrance, raise_app_exceptions=False)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=transport, base_url="https://ops.example.com") as http:
        return await http.post(path, content=body, headers=sent)


@pytest.mark.anyio
async def test_who_signs_with_the_secret_of_the_pipeline_starts_a_run(garden: Garden, entrance: Entrance) -> None:
    answer = await post(entrance, x_hub_signature_256=signatures.hub("s3cret", BODY), x_github_event="push")
    assert answer.status_code == 202, answer.text
    [run] = garden.runs()
    assert answer.json()["id"] == run.id
    assert (run.trigger, run.reason, run.created_by, run.force) == ("webhook", "new data", "webhook:flowers", True)


@pytest.mark.anyio
async def test_our_own_signature_holds_for_five_minutes(garden: Garden, entrance: Entrance) -> None:
    signed = signatures.stamped("s3cret", b"", garden.clock.now())
    assert (await post(entrance, body=b"", x_opsloop_signature=signed)).status_code == 202
    garden.clock.advance(301)
    late = await post(entrance, body=b"", x_opsloop_signature=signed)
    assert (late.status_code, late.json()["type"]) == (401, "urn:opsloop:problem:signature-wrong")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (PATH, {"x_hub_signature_256": signatures.hub("other", BODY)}),
        (PATH, {"x_hub_signature_256": "sha256=" + "0" * 64}),
        (PATH, {"x_hub_signature_256": ""}),
        (PATH, {"x_opsloop_signature": "t=1,v1=" + "0" * 64}),
        ("/webhooks/train/weeds", {"x_hub_signature_256": signatures.hub("s3cret", BODY)}),
        (PATH, {}),
        ("/webhooks/train/flowers/x", {"x_hub_signature_256": signatures.hub("s3cret", BODY)}),
        ("/api/training/pipelines/flowers/runs", {"x_hub_signature_256": signatures.hub("s3cret", BODY)}),
    ],
)
async def test_who_does_not_is_refused(garden: Garden, entrance: Entrance, path: str, headers: dict[str, Any]) -> None:
    answer = await post(entrance, path=path, **headers)
    assert answer.status_code == 401
    assert "s3cret" not in answer.text
    assert garden.runs() == []


@pytest.mark.anyio
async def test_a_signature_beside_a_key_is_checked_all_the_same(garden: Garden, entrance: Entrance) -> None:
    with garden.workspace.writing(garden.by) as uow:
        secret = keys.create(uow, "ci", Role.ADMIN).secret
    answer = await post(entrance, authorization=f"Bearer {secret}", x_hub_signature_256=signatures.hub("no", BODY))
    assert answer.status_code == 401
    answer = await post(entrance, authorization=f"Bearer {secret}")
    assert answer.status_code == 202
    assert garden.runs()[0].created_by == "key:ci"


@pytest.mark.anyio
@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.DEVELOPER, 202)])
async def test_a_key_of_a_developer_will_do(garden: Garden, entrance: Entrance, role: Role, status: int) -> None:
    with garden.workspace.writing(garden.by) as uow:
        secret = keys.create(uow, "ci", role).secret
    assert (await post(entrance, authorization=f"Bearer {secret}")).status_code == status


@pytest.mark.anyio
async def test_a_delivery_that_comes_again_starts_no_second_run(garden: Garden, entrance: Entrance) -> None:
    headers: dict[str, Any] = {
        "x_hub_signature_256": signatures.hub("s3cret", BODY),
        "x_github_delivery": "72d3162e-cc78-11e3",
    }
    first, second = await post(entrance, **headers), await post(entrance, **headers)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    assert len(garden.runs()) == 1


@pytest.mark.anyio
async def test_a_ping_is_answered_and_trains_nothing(garden: Garden, entrance: Entrance) -> None:
    signed = signatures.hub("s3cret", BODY)
    answer = await post(entrance, x_hub_signature_256=signed, x_github_event="ping")
    assert (answer.status_code, answer.json()) == (200, {"pipeline": "flowers", "says": "pong"})
    assert garden.runs() == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{", "body: not valid JSON"),
        (b"[]", "body: is an array; wanted an object"),
        (b'{"dataset": 3}', "dataset: is"),
    ],
)
async def test_a_body_that_is_none_is_told(entrance: Entrance, body: bytes, sentence: str) -> None:
    answer = await post(entrance, body=body, x_hub_signature_256=signatures.hub("s3cret", body))
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(sentence)


@pytest.mark.anyio
async def test_the_setting_has_the_secret_of_pipelines_that_name_none(
    garden: Garden, entrance: Entrance, monkeypatch: pytest.MonkeyPatch
) -> None:
    garden.put()
    signed: dict[str, Any] = {"x_hub_signature_256": signatures.hub("of all", BODY)}
    monkeypatch.setenv("OPSLOOP_TRAINING_HOOK_SECRET", "of all")
    assert (await post(entrance, **signed)).status_code == 202
