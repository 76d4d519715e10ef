"""What an operator does on the pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from opsloop.core.caller import Caller, Role
from opsloop.core.identity import keys
from opsloop.releases import rollouts
from tests.integration.console.conftest import ADMIN, Platform, browser


def fields(html: str) -> dict[str, str]:
    """The hidden fields of a confirmation."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html))


def do(client: TestClient, action: str) -> Any:
    address = f"/endpoints/support-chat/{action}"
    return client.post(address, data=fields(client.get(address).text))


def status(platform: Platform) -> tuple[str, float]:
    with platform.workspace.reading(ADMIN) as uow:
        found = rollouts.get(uow, platform.ids["running"]).rollout
    return found.status.value, found.share


@pytest.mark.parametrize(
    ("action", "wanted", "said"),
    [
        ("promote", ("promoted", 1.0), "Promoted"),
        ("pause", ("paused", 0.2), "Paused"),
        ("rollback", ("rolled_back", 0.0), "Rolled back"),
        ("abort", ("aborted", 0.0), "Given up"),
    ],
)
def test_an_action_shows_what_changes_then_does_it(
    filled: Platform, action: str, wanted: tuple[str, float], said: str
) -> None:
    with browser(filled.workspace) as client:
        asked = client.get(f"/endpoints/support-chat/{action}").text
        assert "20 %" in asked
        answer = do(client, action)
        assert answer.status_code == 303
        assert status(filled) == wanted
        assert said in client.get(answer.headers["location"]).text


def test_a_pause_is_undone_from_the_bar(filled: Platform) -> None:
    with browser(filled.workspace) as client:
        shown = client.get(do(client, "pause").headers["location"]).text
        answer = client.post("/endpoints/support-chat/resume", data=fields(shown))
    assert answer.status_code == 303
    assert status(filled) == ("running", 0.2)


def test_a_promotion_is_undone_from_the_bar(filled: Platform) -> None:
    with browser(filled.workspace) as client:
        shown = client.get(do(client, "promote").headers["location"]).text
        answer = client.post("/endpoints/support-chat/rollback", data=fields(shown))
        assert answer.status_code == 303
        assert "release 1" in client.get("/endpoints/support-chat").text


def test_a_form_that_was_shown_before_something_changed_does_nothing(filled: Platform) -> None:
    with browser(filled.workspace) as client:
        old = fields(client.get("/endpoints/support-chat/promote").text)
        do(client, "rollback")
        answer = client.post("/endpoints/support-chat/promote", data=old)
    assert answer.status_code == 409
    assert "changed after the page was shown" in answer.text
    assert status(filled) == ("rolled_back", 0.0)


def test_a_rollout_that_waits_for_a_yes_is_approved_on_what_was_shown(filled: Platform) -> None:
    address = f"/rollouts/{filled.ids['asking']}/approval"
    with browser(filled.workspace) as client:
        assert address in client.get("/").text
        shown = client.get(address).text
        assert "let release 1 of leave-desk serve everybody" in shown.lower()
        answer = client.post(address, data={**fields(shown), "answer": "yes"})
        assert answer.status_code == 303
        assert "approved by test:admin" in client.get(answer.headers["location"]).text
        assert client.post(address, data={**fields(shown), "answer": "yes"}).status_code == 409


def test_a_rollout_that_waits_for_a_yes_is_rejected_with_a_reason(filled: Platform) -> None:
    address = f"/rollouts/{filled.ids['asking']}/approval"
    with browser(filled.workspace) as client:
        known = fields(client.get(address).text)
        assert client.post(address, data={**known, "answer": "no"}).status_code in (400, 422)
        answer = client.post(address, data={**known, "answer": "no", "reason": "not yet"})
        assert "rejected by test:admin: not yet" in client.get(answer.headers["location"]).text


def test_a_viewer_cannot_act(filled: Platform) -> None:
    with browser(filled.workspace) as client:
        known = fields(client.get("/endpoints/support-chat/promote").text)
    with browser(filled.workspace, Caller("key:watcher", Role.VIEWER)) as client:
        answer = client.post("/endpoints/support-chat/promote", data=known)
    assert answer.status_code == 403
    assert status(filled) == ("running", 0.2)


def test_a_key_is_kept_where_no_script_reads_it(platform: Platform) -> None:
    with platform.workspace.writing(ADMIN) as uow:
        secret = keys.create(uow, "maria", Role.OPERATOR).secret
    with browser(platform.workspace) as client:
        answer = client.post("/sign-in", data={"key": secret, "to": "/audit"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/audit")
        cookie = answer.headers["set-cookie"].lower()
        assert f"opsloop_key={secret.lower()}" in cookie
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        out = client.post("/sign-out")
        assert out.headers["location"] == "/sign-in"
        assert "max-age=0" in out.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_signing_in_never_leads_to_another_site(platform: Platform, to: str) -> None:
    with platform.workspace.writing(ADMIN) as uow:
        secret = keys.create(uow, "maria", Role.OPERATOR).secret
    with browser(platform.workspace) as client:
        assert client.post("/sign-in", data={"key": secret, "to": to}).headers["location"] == "/"


def test_a_wrong_key_is_not_kept(platform: Platform) -> None:
    with browser(platform.workspace) as client:
        answer = client.post("/sign-in", data={"key": "opl_wrong"})
        foreign = client.post("/sign-in", data={"key": "opl_wrong"}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "not known" in answer.text
    assert foreign.status_code == 403
