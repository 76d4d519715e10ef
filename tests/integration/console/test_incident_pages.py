"""Incidents as an operator and as a viewer see them; forms without a script."""

from __future__ import annotations

import httpx

from opsloop.core.caller import Caller, Role
from opsloop.incidents import service as incidents
from opsloop.incidents.models import ClosedAs, IncidentState
from tests.integration.console.conftest import ADMIN, HOSTILE, Platform, browser, troubled


def test_without_incidents_the_page_says_what_opens_one(page: httpx.Client) -> None:
    shown = page.get("/incidents")
    assert shown.status_code == 200
    assert "what other systems tell at /webhooks" in shown.text


def test_the_overview_asks_for_somebody_until_one_deals_with_it(platform: Platform, page: httpx.Client) -> None:
    platform.endpoint()
    troubled(platform)
    here = f"/incidents/{platform.ids['incident']}"
    assert here in page.get("/").text
    assert page.post(f"{here}/acknowledge").headers["location"] == here
    assert here not in page.get("/").text


def test_an_incident_shows_suspects_with_what_speaks_against_them(platform: Platform, page: httpx.Client) -> None:
    platform.endpoint()
    troubled(platform)
    shown = page.get(f"/incidents/{platform.ids['incident']}").text
    assert "it was slow before" in shown
    assert "Like it before" in shown
    assert platform.ids["closed_incident"] in shown
    assert HOSTILE not in shown
    narrowed = page.get("/incidents?state=open").text
    assert platform.ids["closed_incident"] not in narrowed
    assert page.get("/incidents?state=lost").status_code == 422
    assert page.get("/incidents/incident_lost").status_code == 404


def test_it_is_noted_and_closed_by_forms(platform: Platform, page: httpx.Client) -> None:
    platform.endpoint()
    troubled(platform)
    incident = platform.ids["incident"]
    here = f"/incidents/{incident}"
    assert page.post(f"{here}/note", data={"text": "one\r\ntwo"}).status_code == 303
    assert page.post(f"{here}/note", data={"text": " "}).status_code == 422
    assert page.post(f"{here}/close", data={"closed_as": "cause"}).status_code == 422
    assert page.post(f"{here}/close", data={"closed_as": "cause", "suspect": "release 2"}).status_code == 303
    assert page.post(f"{here}/close", data={"closed_as": "false alarm"}).status_code == 409
    with platform.workspace.reading(ADMIN) as uow:
        found = incidents.get(uow, incident)
    assert (found.state, found.closed_as, found.cause) == (IncidentState.CLOSED, ClosedAs.CAUSE, "release 2")
    assert "one\ntwo" in [each.text for each in found.timeline]


def test_a_viewer_reads_and_is_told_who_may_act(platform: Platform) -> None:
    platform.endpoint()
    troubled(platform)
    here = f"/incidents/{platform.ids['incident']}"
    with browser(platform.workspace, Caller("key:reader", Role.VIEWER)) as reader:
        assert "Operators deal with incidents" in reader.get(here).text
        assert reader.post(f"{here}/acknowledge").status_code == 403
