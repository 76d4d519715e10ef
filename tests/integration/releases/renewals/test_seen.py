"""Renewals as people and programs see them: the endpoint's page, the API, the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from opsloop.releases.renewals.models import Renewal, RenewalHistory, RenewalState
from tests.integration.console.conftest import browser
from tests.integration.releases.renewals.conftest import ENDPOINT, Kept, Make, Signs, rows, shuffled, signs_of

ADMIN = Caller("test:admin", Role.ADMIN)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    def brought(workspace: Workspace, clock: FakeClock) -> None:
        signs = signs_of(workspace, clock, approve="person", cool_down=0)
        signs.register(shuffled(rows(300)))
        signs.train(trigger="schedule")
        signs.settle()
        signs.later(hours=1)
        signs.register([*rows(300), *rows(200, seed=4)])
        signs.train(trigger="schedule")
        signs.settle()

    return Kept.of(tmp_path_factory.mktemp("asked") / "data", brought)


@pytest.fixture
def waiting(asked: Kept, tmp_path: Path, clock: FakeClock) -> Iterator[Signs]:
    """A challenger that waits for a yes, after one that was refused."""
    with asked.copied(tmp_path, clock) as workspace:
        yield Signs(workspace, clock)


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


def test_a_challenger_is_approved_on_its_page(waiting: Signs) -> None:
    found = waiting.newest().renewal
    decision = f"/endpoints/{ENDPOINT}/renewal"
    with browser(waiting.workspace) as http:
        assert f'href="{decision}?renewal={found.id}"' in http.get(f"/endpoints/{ENDPOINT}").text
        shown = http.get(f"{decision}?renewal={found.id}").text
        assert f"/models/compare?base=signs%401&amp;head={found.challenger}".replace("@", "%40") in shown
        assert f"/evaluations/{found.challenger_run}" in shown
        told = http.post(decision, data={"renewal": found.id, "answer": "yes"}, follow_redirects=False)
        assert told.headers["location"] == f"/endpoints/{ENDPOINT}#renewals"
        assert waiting.newest().renewal.state is RenewalState.ROLLING_OUT
        again = http.get(f"{decision}?renewal={found.id}")
        assert (again.status_code, "only one that waits" in again.text) == (409, True)


def test_a_challenger_is_rejected_on_its_page_with_a_reason(waiting: Signs) -> None:
    found = waiting.newest().renewal
    decision = f"/endpoints/{ENDPOINT}/renewal"
    with browser(waiting.workspace) as http:
        refused = http.post(decision, data={"renewal": found.id, "answer": "no", "reason": " "})
        assert (refused.status_code, "why, as a sentence" in refused.text) == (422, True)
        http.post(decision, data={"renewal": found.id, "answer": "no", "reason": "not before the audit"})
    renewal = waiting.newest().renewal
    assert renewal.state is RenewalState.REJECTED
    assert "not before the audit" in renewal.said


def test_a_viewer_sees_no_way_to_decide_and_decides_nothing(waiting: Signs) -> None:
    found = waiting.newest().renewal
    with browser(waiting.workspace, Caller("key:eye", Role.VIEWER)) as http:
        assert "Approve or reject" not in http.get(f"/endpoints/{ENDPOINT}").text
        assert http.get(f"/endpoints/{ENDPOINT}/renewal?renewal={found.id}").status_code == 403
        told = http.post(f"/endpoints/{ENDPOINT}/renewal", data={"renewal": found.id, "answer": "yes"})
        assert told.status_code == 403
    assert waiting.newest().renewal.state is RenewalState.AWAITING_APPROVAL


def test_the_overview_lists_a_challenger_that_waits_for_a_yes(waiting: Signs) -> None:
    found = waiting.newest().renewal
    with browser(waiting.workspace) as http:
        assert f"{found.challenger} passed its gate against signs@1 and waits for a yes" in http.get("/").text


def test_the_pages_of_a_model_and_of_its_endpoint_lead_to_each_other(waiting: Signs) -> None:
    with browser(waiting.workspace) as http:
        model = http.get("/models/signs@1").text
        endpoint = http.get(f"/endpoints/{ENDPOINT}").text
        models = http.get("/models").text
    run = waiting.newest().renewal.training_run
    assert f'href="/endpoints/{ENDPOINT}#release-1">signs, release 1</a> <span class="muted">stable' in model
    assert f'href="/endpoints/{ENDPOINT}/drift"' in model
    assert 'href="/datasets/signs%401"' in model
    assert 'href="/training/' in model
    assert 'href="/models/signs%401"' in endpoint
    assert f'href="/training/{run}"' in endpoint
    assert f'data-label="Served by" class="whole"><a href="/endpoints/{ENDPOINT}">' in models
