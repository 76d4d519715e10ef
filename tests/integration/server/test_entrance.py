"""The entrance: who gets in, what is too large, what every answer carries, what a fault looks like."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from opsloop.core.caller import Caller, Role
from opsloop.core.identity import keys
from opsloop.core.workspace import Workspace
from opsloop.guardrails.support import service as support
from opsloop.rag import service as documents
from opsloop.server.authentication import OpenToAll, is_loopback, refuse_open_door
from opsloop.server.control_plane import control_plane
from opsloop.server.entrance import Entrance


class NoDataPlane:
    def owns(self, path: str) -> bool:
        return False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers who called and how much came; fails on /fault."""
    request = Request(scope, receive)
    if request.url.path == "/fault":
        raise RuntimeError("a secret detail")
    caller: Caller | None = scope.get("opsloop.caller")
    body = await request.body()
    answer = JSONResponse({"caller": caller.name if caller else None, "bytes": len(body)})
    await answer(scope, receive, send)


@pytest.fixture
def entrance(sqlite_workspace: Workspace) -> Entrance:
    return Entrance(sqlite_workspace, NoDataPlane(), echo)


async def ask(entrance: Entrance, method: str, path: str, **more: Any) -> httpx.Response:
    transport = httpx.ASGITransport(entrance, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=more.pop("base_url", "http://localhost")) as http:
        return await http.request(method, path, **more)


def new_key(workspace: Workspace, admin: Caller, role: Role = Role.VIEWER) -> str:
    with workspace.writing(admin) as uow:
        return keys.create(uow, "ci", role).secret


def with_keys_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_AUTH", "keys")


@pytest.mark.anyio
async def test_the_person_at_this_machine_needs_no_key(entrance: Entrance) -> None:
    answer = await ask(entrance, "GET", "/api/audit")
    assert answer.status_code == 200
    assert answer.json()["caller"].startswith("local:")


@pytest.mark.anyio
async def test_a_key_says_who_calls(entrance: Entrance, sqlite_workspace: Workspace, admin: Caller) -> None:
    secret = new_key(sqlite_workspace, admin)
    answer = await ask(entrance, "GET", "/api/audit", headers={"authorization": f"Bearer {secret}"})
    assert answer.json()["caller"] == "key:ci"


@pytest.mark.anyio
async def test_an_unknown_key_is_refused_even_on_loopback(entrance: Entrance) -> None:
    answer = await ask(entrance, "GET", "/api/audit", headers={"authorization": "Bearer opl_guess"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["type"] == "urn:opsloop:problem:key-unknown"


@pytest.mark.anyio
async def test_with_keys_required_nobody_comes_in_without(
    entrance: Entrance, monkeypatch: pytest.MonkeyPatch, sqlite_workspace: Workspace, admin: Caller
) -> None:
    with_keys_only(monkeypatch)
    assert (await ask(entrance, "GET", "/api/audit")).status_code == 401
    assert (await ask(entrance, "GET", "/health")).status_code == 200
    secret = new_key(sqlite_workspace, admin)
    answer = await ask(entrance, "GET", "/api/audit", headers={"authorization": f"Bearer {secret}"})
    assert answer.status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.5"])
async def test_a_page_that_rebinds_its_name_to_this_machine_is_refused(entrance: Entrance, host: str) -> None:
    answer = await ask(entrance, "GET", "/api/audit", base_url=f"http://{host}:8700")
    assert answer.status_code == 403
    assert host in answer.json()["detail"]


@pytest.mark.anyio
@pytest.mark.parametrize("headers", [{"host": "[::"}, {"host": ""}, {"host": "\xff"}, {"origin": "http://["}])
async def test_a_host_or_origin_that_is_none_is_refused(entrance: Entrance, headers: dict[str, str]) -> None:
    encoded = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    answer = await ask(entrance, "POST", "/api/rollouts/r/promote", headers=encoded)
    assert answer.status_code == 403


@pytest.mark.anyio
async def test_a_page_of_another_site_may_not_act_here(entrance: Entrance) -> None:
    answer = await ask(entrance, "POST", "/api/rollouts/r/promote", headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    own = await ask(entrance, "POST", "/api/rollouts/r/promote", headers={"origin": "http://127.0.0.1:8700"})
    assert own.status_code == 200


@pytest.mark.anyio
async def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read(entrance: Entrance) -> None:
    read = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield b"x"

    answer = await ask(entrance, "POST", "/upload", content=chunks(), headers={"content-length": "99000000"})
    assert answer.status_code == 413
    assert answer.json()["limit"] == 16_000_000


@pytest.mark.anyio
async def test_a_body_that_grows_too_large_is_cut_off(entrance: Entrance) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 1_000_000

    answer = await ask(entrance, "POST", "/upload", content=chunks())
    assert answer.status_code == 413


@pytest.mark.anyio
async def test_a_request_id_comes_back_as_it_was_given_or_new(entrance: Entrance) -> None:
    assert (await ask(entrance, "GET", "/", headers={"x-request-id": "abc-1"})).headers["x-request-id"] == "abc-1"
    hostile = await ask(entrance, "GET", "/", headers={"x-request-id": 'a"<script>'})
    assert hostile.headers["x-request-id"].startswith("req_")


@pytest.mark.anyio
async def test_a_fault_says_under_which_request_the_log_has_it_and_nothing_else(entrance: Entrance) -> None:
    answer = await ask(entrance, "GET", "/fault", headers={"x-request-id": "abc-1"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "abc-1" in answer.json()["detail"]
    assert "secret" not in answer.text


@pytest.mark.anyio
async def test_an_openai_client_is_refused_in_its_own_words(entrance: Entrance) -> None:
    answer = await ask(entrance, "GET", "/v1/models", headers={"authorization": "Bearer opl_guess"})
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "authentication_error"


@pytest.mark.anyio
async def test_a_browser_without_a_key_is_sent_to_sign_in(entrance: Entrance, monkeypatch: pytest.MonkeyPatch) -> None:
    with_keys_only(monkeypatch)
    answer = await ask(entrance, "GET", "/audit?target=x", headers={"accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.anyio
async def test_the_link_of_a_survey_needs_no_key_and_opens_nothing_else(
    entrance: Entrance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_keys_only(monkeypatch)
    page = {"accept": "text/html"}
    assert (await ask(entrance, "GET", "/survey/guess", headers=page)).status_code == 200
    for path in ("/survey", "/api/surveys", "/survey/a/b"):
        assert (await ask(entrance, "GET", path)).status_code == 401, path


@pytest.mark.anyio
async def test_a_signed_in_browser_acts_from_our_own_pages_only(
    entrance: Entrance, monkeypatch: pytest.MonkeyPatch, sqlite_workspace: Workspace, admin: Caller
) -> None:
    with_keys_only(monkeypatch)
    cookie = {"cookie": f"opsloop_key={new_key(sqlite_workspace, admin)}"}
    assert (await ask(entrance, "GET", "/api/audit", headers=cookie)).json()["caller"] == "key:ci"
    own = await ask(entrance, "POST", "/promote", headers={**cookie, "origin": "http://localhost"})
    assert own.json()["caller"] == "key:ci"
    foreign = await ask(entrance, "POST", "/promote", headers={**cookie, "origin": "http://localhost:9999"})
    assert foreign.status_code == 403


@pytest.mark.anyio
async def test_a_cookie_with_a_wrong_key_opens_nothing(entrance: Entrance, monkeypatch: pytest.MonkeyPatch) -> None:
    with_keys_only(monkeypatch)
    answer = await ask(entrance, "GET", "/api/audit", headers={"cookie": "opsloop_key=opl_guess"})
    assert answer.status_code == 401


def test_listening_for_others_without_authentication_is_refused(sqlite_workspace: Workspace) -> None:
    with pytest.raises(OpenToAll, match="opsloop token create"):
        refuse_open_door(sqlite_workspace, "0.0.0.0")


def test_keys_that_are_required_but_do_not_exist_guard_nothing(
    sqlite_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_keys_only(monkeypatch)
    with pytest.raises(OpenToAll):
        refuse_open_door(sqlite_workspace, "0.0.0.0")


def test_listening_for_others_behind_keys_is_allowed(
    sqlite_workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_keys_only(monkeypatch)
    new_key(sqlite_workspace, admin)
    refuse_open_door(sqlite_workspace, "0.0.0.0")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.9.9.9", True), ("[::1]", True), ("0.0.0.0", False), ("::", False), ("", False)],
)
def test_loopback_is_told_from_the_rest(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_a_fault_in_the_control_plane_is_answered_with_a_problem_document_and_not_with_its_cause(
    sqlite_workspace: Workspace,
) -> None:
    app = control_plane(sqlite_workspace)

    @app.get("/fault")
    def fault() -> None:
        raise RuntimeError("a secret detail")

    answer = await ask(Entrance(sqlite_workspace, NoDataPlane(), app), "GET", "/fault")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/feedback", rb'{"request_id": "r1", "thumb": "up", "comment": "\ud800"}'),
        ("/query", rb'{"question": "hello", "filters": {"\ud800": "x"}, "collection": "here"}'),
        ("/api/collections", rb'{"name": "\ud800"}'),
        ("/api/evaluations", rb'{"experiment": {"name": "\ud800"}, "flow": "\ud800"}'),
        ("/api/collections/here/passages", b'{"_id": "a", "text": ' + b"[" * 100_000),
    ],
)
async def test_text_that_cannot_be_stored_is_refused_with_a_problem_document(
    sqlite_workspace: Workspace, admin: Caller, path: str, body: bytes
) -> None:
    with sqlite_workspace.writing(admin) as uow:
        documents.upload(uow, "here", "a.txt", b"Some words to find.")
    entrance = Entrance(sqlite_workspace, NoDataPlane(), control_plane(sqlite_workspace))
    answer = await ask(entrance, "POST", path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:opsloop:problem:invalid-input"


@pytest.mark.anyio
async def test_a_ticket_needs_its_token_and_no_key(
    sqlite_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSLOOP_AUTH", "keys")
    with sqlite_workspace.writing(Caller("system:gateway", Role.ADMIN)) as uow:
        ticket = support.open_case(uow, "chat", "req_1", [], kinds=[], release="release_1")
    entrance = Entrance(sqlite_workspace, NoDataPlane(), control_plane(sqlite_workspace))
    with_token = {"x-ticket-token": ticket.token}
    found = await ask(entrance, "GET", f"/support/{ticket.id}", headers=with_token)
    assert (found.status_code, found.json()["state"]) == (200, "open")
    wrong = await ask(entrance, "GET", f"/support/{ticket.id}", headers={"x-ticket-token": "x"})
    assert wrong.status_code == 404
    for method, path in (
        ("GET", f"/api/support/{ticket.id}"),
        ("GET", "/support"),
        ("POST", f"/support/cases/{ticket.id}/claim"),
        ("GET", f"/support/cases/{ticket.id}"),
        ("DELETE", f"/support/{ticket.id}"),
    ):
        assert (await ask(entrance, method, path, headers=with_token)).status_code == 401
