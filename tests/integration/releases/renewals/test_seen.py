"""Renewals as people and programs see them: the endpoint's page, the API, the command line."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from opsloop.core.caller import Caller, Role
from opsloop.releases.renewals.models import Renewal, RenewalHistory, RenewalState
from tests.integration.console.conftest import browser
from tests.integration.releases.renewals.conftest import ENDPOINT, Make, Signs, rows, shuffled

ADMIN = Caller("test:admin", Role.ADMIN)


@pytest.fixture
def waiting(make: Make) -> Signs:
    """A challenger that waits for a yes, after one that was refused."""
    signs = make(approve="person", cool_down=0)
    signs.register(shuffled(rows(300)))
    signs.train(trigger="schedule")
    signs.settle()
    signs.later(hours=1)
    signs.register([*rows(300), *rows(200, seed=4)])
    signs.train(trigger="schedule")
    signs.settle()
    return signs


def read(http: TestClient, path: str, form: Any) -> Any:
    answer = http.get(path, headers={"accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=form)


def test_the_page_of_the_endpoint_shows_the_way_with_its_links(waiting: Signs) -> None:
    newest = waiting.newest().renewal
    with browser(waiting.workspace) as http:
        shown = http.get(f"/endpoints/{ENDPOINT}")
    assert shown.status_code == 200
    assert f"opsloop renewal approve {newest.id}" in shown.text
    for href in (f"/training/{newest.training_run}", f"/evaluations/{newest.challenger_run}"):
        assert f'href="{href}"' in shown.text
    assert "Earlier ones" in shown.text
    assert "rejected" in shown.text


def test_every_link_of_the_panel_leads_somewhere(waiting: Signs) -> None:
    from opsloop.console import renewals

    with waiting.workspace.reading(ADMIN) as uow:
        view = renewals.view(uow, ENDPOINT)
    assert view is not None
    links = {each.href for each in view.history if each.href}
    assert len(links) >= 2
    with browser(waiting.workspace) as http:
        assert {http.get(link).status_code for link in links} == {200}


def test_an_endpoint_that_was_never_renewed_shows_no_panel(make: Make) -> None:
    signs = make()
    with browser(signs.workspace) as http:
        shown = http.get(f"/endpoints/{ENDPOINT}")
    assert shown.status_code == 200
    assert "Renewals" not in shown.text


def test_programs_list_show_approve_and_reject(waiting: Signs) -> None:
    with browser(waiting.workspace) as http:
        listed = http.get("/api/renewals", params={"endpoint": ENDPOINT}).json()["items"]
        assert [each["state"] for each in listed] == ["awaiting_approval", "rejected"]
        at = f"/api/renewals/{listed[0]['id']}"
        assert read(http, at, RenewalHistory).events[0].kind == "started"
        refused = http.post(f"{at}/reject", json={"reason": ""})
        assert refused.status_code == 422
        approved = http.post(f"{at}/approve")
        assert msgspec.json.decode(approved.content, type=Renewal).state is RenewalState.ROLLING_OUT
        again = http.post(f"{at}/approve")
        assert (again.status_code, "only one that waits" in again.text) == (409, True)
        assert http.get("/api/renewals/renewal_none").status_code == 404


def test_a_viewer_looks_and_does_not_touch(waiting: Signs) -> None:
    found = waiting.newest().renewal
    with browser(waiting.workspace, Caller("key:eye", Role.VIEWER)) as http:
        assert http.get("/api/renewals").status_code == 200
        assert http.post(f"/api/renewals/{found.id}/approve").status_code == 403
        assert http.post(f"/api/endpoints/{ENDPOINT}/renewals", json={}).status_code == 403
