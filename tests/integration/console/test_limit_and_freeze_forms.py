"""Limits are set, and endpoints are frozen, on their pages."""

from __future__ import annotations

import pytest

from opsloop.core.caller import Caller, Role
from opsloop.limits import service
from opsloop.limits.models import Limit, Scope
from opsloop.releases import freezes
from opsloop.releases import service as releases
from tests.integration.console.conftest import ADMIN, Platform, browser

VIEWER = Caller("test:viewer", Role.VIEWER)


def limits(platform: Platform) -> dict[tuple[Scope, str], Limit]:
    with platform.workspace.reading(ADMIN) as uow:
        return {(each.scope, each.name): each.limit for each in service.listed(uow)}


def test_a_limit_is_set_replaced_and_taken_away(platform: Platform) -> None:
    with browser(platform.workspace) as client:
        given = {"scope": "key", "name": "ci", "requests_per_minute": "60", "usd_per_day": "2.5"}
        answer = client.post("/limits", data=given)
        assert (answer.status_code, answer.headers["location"]) == (303, "/limits")
        assert limits(platform) == {(Scope.KEY, "ci"): Limit(requests_per_minute=60, usd_per_day=2.5)}
        client.post("/limits", data={"scope": "key", "name": "ci", "concurrent": "4"})
        assert limits(platform) == {(Scope.KEY, "ci"): Limit(concurrent=4)}
        assert "Limit key ci no more" in client.get("/limits").text
        assert client.post("/limits/remove", data={"scope": "key", "name": "ci"}).status_code == 303
    assert limits(platform) == {}


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [("concurrent", "-1", 422), ("concurrent", "four", 422), ("usd_per_day", "nan", 422), ("usd_per_day", "free", 422)],
)
def test_a_wrong_figure_is_named(platform: Platform, field: str, value: str, status: int) -> None:
    with browser(platform.workspace) as client:
        answer = client.post("/limits", data={"scope": "endpoint", "name": "support-chat", field: value})
    assert answer.status_code == status
    assert field in answer.text
    assert limits(platform) == {}


def made(platform: Platform) -> None:
    with platform.workspace.writing(ADMIN) as uow:
        releases.create_endpoint(uow, "support-chat")


def test_an_endpoint_is_frozen_and_thawed(platform: Platform) -> None:
    made(platform)
    with browser(platform.workspace) as client:
        answer = client.post("/endpoints/support-chat/freeze", data={"reason": "the holidays", "hours": "48"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/endpoints/support-chat")
        with platform.workspace.reading(ADMIN) as uow:
            [frozen] = freezes.active(uow, "support-chat")
        assert frozen.until is not None
        assert "the holidays" in client.get("/endpoints/support-chat").text
        assert client.post("/endpoints/support-chat/thaw").status_code == 303
        assert client.post("/endpoints/support-chat/freeze", data={"reason": ""}).status_code == 422
        assert client.post("/endpoints/support-chat/freeze", data={"reason": "x", "hours": "inf"}).status_code == 422
        assert "Freeze releases" in client.get("/endpoints/support-chat").text
    with platform.workspace.reading(ADMIN) as uow:
        assert freezes.active(uow, "support-chat") == []


def test_who_may_not_sees_no_form_and_is_refused(platform: Platform) -> None:
    made(platform)
    with browser(platform.workspace, VIEWER) as client:
        assert "Set a limit" not in client.get("/limits").text
        assert "Freeze releases" not in client.get("/endpoints/support-chat").text
        assert client.post("/limits", data={"scope": "key", "name": "ci", "concurrent": "1"}).status_code == 403
        assert client.post("/endpoints/support-chat/freeze", data={"reason": "x"}).status_code == 403
