"""The page on drift and performance: with an alarm, without one, and what an operator does there."""

from __future__ import annotations

import httpx
import pytest

from opsloop.core.caller import Caller, Role
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import AlarmState, Outcome
from tests.integration.console.conftest import ADMIN, HOSTILE, Platform, browser
from tests.integration.monitoring.iris import drifted, stage


@pytest.fixture
def alarmed(platform: Platform) -> Platform:
    drifted(platform.workspace, platform.clock)
    return platform


def test_an_endpoint_that_serves_no_model_says_what_to_do(platform: Platform, page: httpx.Client) -> None:
    platform.endpoint()
    shown = page.get("/endpoints/support-chat/drift")
    assert shown.status_code == 200
    assert "Nothing is watched here yet" in shown.text
    assert "opsloop release create support-chat --model" in shown.text


def test_an_endpoint_that_is_none_is_not_found(page: httpx.Client) -> None:
    assert page.get("/endpoints/nobody/drift").status_code == 404


def test_the_alarm_its_feature_and_since_when_stand_on_the_page(alarmed: Platform, page: httpx.Client) -> None:
    shown = page.get("/endpoints/iris/drift?window=3600").text
    assert "sepal_length is 1.9 sd larger than in the reference" in shown
    assert "since about row 301" in shown
    assert "sepal_length: reference and now" in shown
    assert "at most one in 10,000,000 rows" in shown
    assert "126 rows for 0.25 sd, 28 rows for 1 sd" in shown
    assert "row_count (min 10): a request has as many rows as it likes" in shown


def test_performance_stands_beside_validation_with_its_interval(alarmed: Platform, page: httpx.Client) -> None:
    shown = page.get("/endpoints/iris/drift?window=3600").text
    assert "350 of 550 rows" in shown
    assert '<td class="number" data-label="Validation">0.95</td>' in shown


def test_parts_are_shown_by_the_input_that_is_chosen(alarmed: Platform, page: httpx.Client) -> None:
    shown = page.get("/endpoints/iris/drift?window=3600&by=colour").text
    assert all(f'<th scope="row">{each}</th>' in shown for each in ("blue", "violet", "white"))


def test_another_feature_is_drawn_when_asked_for(alarmed: Platform, page: httpx.Client) -> None:
    assert "colour: reference and now" in page.get("/endpoints/iris/drift?window=3600&feature=colour").text
    assert page.get("/endpoints/iris/drift?feature=weight").status_code == 404


def test_a_watch_without_alarm_rows_or_labels_says_so(platform: Platform, page: httpx.Client) -> None:
    stage(platform.workspace, platform.clock)
    shown = page.get("/endpoints/iris/drift").text
    assert "no row has come yet" in shown
    assert "No label yet" in shown


def test_an_alarm_is_acknowledged_and_closed_from_the_page(alarmed: Platform, page: httpx.Client) -> None:
    with alarmed.workspace.reading(ADMIN) as uow:
        (alarm,) = alarms.unclosed(uow, "iris")
    said = page.post("/endpoints/iris/drift/acknowledge", data={"alarm": alarm.id})
    assert said.headers["location"] == "/endpoints/iris/drift?did=acknowledged"
    assert "test:admin is dealing with it" in page.get("/endpoints/iris/drift").text
    assert "this is the new normal" in page.get(f"/endpoints/iris/drift/close?alarm={alarm.id}").text
    closed = page.post("/endpoints/iris/drift/close", data={"alarm": alarm.id, "reason": "spring", "accept": "yes"})
    assert closed.headers["location"] == "/endpoints/iris/drift?did=accepted"
    with alarmed.workspace.reading(ADMIN) as uow:
        found = alarms.get(uow, alarm.id)
    assert (found.state, found.outcome, found.reason) == (AlarmState.CLOSED, Outcome.ACCEPTED, "spring")
    assert "accepted by test:admin" in page.get("/endpoints/iris/drift").text


def test_closing_without_a_reason_is_refused(alarmed: Platform, page: httpx.Client) -> None:
    with alarmed.workspace.reading(ADMIN) as uow:
        (alarm,) = alarms.unclosed(uow, "iris")
    answer = page.post("/endpoints/iris/drift/close", data={"alarm": alarm.id, "reason": " "})
    assert answer.status_code == 422
    assert "reason" in answer.text


def test_whoever_may_only_look_sees_no_button_and_closes_nothing(alarmed: Platform) -> None:
    with alarmed.workspace.reading(ADMIN) as uow:
        (alarm,) = alarms.unclosed(uow, "iris")
    with browser(alarmed.workspace, Caller("key:viewer", Role.VIEWER)) as viewer:
        assert "Close …" not in viewer.get("/endpoints/iris/drift").text
        answer = viewer.post("/endpoints/iris/drift/close", data={"alarm": alarm.id, "reason": "no"})
        assert answer.status_code == 403


def test_a_hostile_name_in_the_query_is_shown_as_text(alarmed: Platform, page: httpx.Client) -> None:
    shown = page.get("/endpoints/iris/drift", params={"feature": HOSTILE})
    assert HOSTILE not in shown.text


def test_the_page_is_small(alarmed: Platform, page: httpx.Client) -> None:
    assert len(page.get("/endpoints/iris/drift?window=3600&by=colour").content) < 60_000


def test_the_overview_lists_an_open_alarm_until_somebody_deals_with_it(alarmed: Platform, page: httpx.Client) -> None:
    assert "sepal_length is 1.9 sd larger" in page.get("/").text
    with alarmed.workspace.reading(ADMIN) as uow:
        (alarm,) = alarms.unclosed(uow, "iris")
    page.post("/endpoints/iris/drift/acknowledge", data={"alarm": alarm.id})
    assert "sepal_length is 1.9 sd larger" not in page.get("/").text


def test_the_feature_is_drawn_over_time_with_the_moments_of_its_alarms(alarmed: Platform, page: httpx.Client) -> None:
    shown = page.get("/endpoints/iris/drift?window=3600").text
    assert '<figure class="chart" data-chart="course">' in shown
    assert "alarm raised: sepal_length is 1.9 sd larger" in shown
    assert "rows since the change" in shown
    assert 'href="/models/iris%403"' in shown
