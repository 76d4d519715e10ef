"""The queue and its cases, as an operator and as a viewer see them; forms without a script."""

from __future__ import annotations

import httpx

from opsloop.core.caller import Caller, Role
from opsloop.guardrails.support import service as support
from opsloop.guardrails.support.models import CaseState
from tests.integration.console.conftest import ADMIN, HOSTILE, Platform, browser, escalated


def test_an_empty_queue_says_how_something_comes_into_it(page: httpx.Client) -> None:
    shown = page.get("/support")
    assert shown.status_code == 200
    assert "Nothing is waiting for a person" in shown.text
    assert "opsloop guard set" in shown.text


def test_the_overview_says_how_many_wait(platform: Platform, page: httpx.Client) -> None:
    platform.endpoint()
    assert "for a person" not in page.get("/").text
    escalated(platform)
    assert "1 conversation waits for a person" in page.get("/").text


def test_the_queue_lists_cases_and_can_be_narrowed(platform: Platform, page: httpx.Client) -> None:
    platform.endpoint()
    escalated(platform)
    whole = page.get("/support").text
    for name in ("open", "claimed", "held", "answered", "closed"):
        assert platform.ids[f"{name}_case"] in whole
    narrowed = page.get("/support?state=open").text
    assert platform.ids["open_case"] in narrowed
    assert platform.ids["closed_case"] not in narrowed
    assert HOSTILE not in whole
    assert page.get("/support?state=lost").status_code == 422


def test_a_case_is_claimed_answered_and_closed_by_forms(platform: Platform, page: httpx.Client) -> None:
    platform.endpoint()
    escalated(platform)
    case = platform.ids["open_case"]
    here = f"/support/cases/{case}"
    assert "Claim it before you answer" in page.get(here).text
    assert page.post(f"{here}/answer", data={"answer": "too early"}).status_code == 409
    assert page.post(f"{here}/claim").headers["location"] == here
    assert "Your answer to the caller" in page.get(here).text
    assert page.post(f"{here}/answer", data={"answer": " "}).status_code == 422
    assert page.post(f"{here}/answer", data={"answer": "one\r\ntwo"}).status_code == 303
    with platform.workspace.reading(ADMIN) as uow:
        assert support.get(uow, case).answer == "one\ntwo"
    assert page.post(f"{here}/close").status_code == 303
    with platform.workspace.reading(ADMIN) as uow:
        assert support.get(uow, case).state is CaseState.CLOSED


def test_what_somebody_else_has_can_be_taken_over_and_not_answered(platform: Platform, page: httpx.Client) -> None:
    platform.endpoint()
    escalated(platform)
    here = f"/support/cases/{platform.ids['held_case']}"
    assert "key:maria has claimed it" in page.get(here).text
    assert page.post(f"{here}/claim").status_code == 409
    assert page.post(f"{here}/answer", data={"answer": "mine"}).status_code == 409
    assert page.post(f"{here}/take-over").status_code == 303
    assert page.post(f"{here}/answer", data={"answer": "mine"}).status_code == 303


def test_a_viewer_reads_and_changes_nothing(platform: Platform) -> None:
    platform.endpoint()
    escalated(platform)
    here = f"/support/cases/{platform.ids['open_case']}"
    with browser(platform.workspace, Caller("key:viewer", Role.VIEWER)) as viewer:
        shown = viewer.get(here)
        assert "Operators answer cases" in shown.text
        assert "<form" not in shown.text.partition("<main")[2]
        assert viewer.post(f"{here}/claim").status_code == 403


def test_an_endpoint_shows_its_guardrails_and_what_they_found(platform: Platform, page: httpx.Client) -> None:
    platform.endpoint()
    escalated(platform)
    shown = page.get("/endpoints/support-chat?window=3600").text
    assert "redact pii" in shown
    assert "payment_card" in shown
    assert "In 1 of 1 requests of the window something was held back or changed." in shown
