"""`/feedback`: what people say, a week of it, and a golden row of a bad answer."""

from __future__ import annotations

import re
from html import unescape

import pytest

from opsloop.core.caller import Caller, Role
from opsloop.datasets import service as datasets
from tests.integration.console.conftest import ADMIN, HOSTILE, Platform, browser
from tests.integration.console.said import said
from tests.integration.console.test_pages import stray_tags

VIEWER = Caller("key:watcher", Role.VIEWER)


@pytest.fixture
def told(platform: Platform) -> Platform:
    platform.endpoint("help-desk")
    platform.ids.update(said(platform.workspace, ADMIN, HOSTILE))
    return platform


def fields(html: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html)}


def test_answers_are_listed_and_filtered(told: Platform) -> None:
    with browser(told.workspace) as client:
        shown = client.get("/feedback").text
        assert stray_tags(shown) == []
        assert "said-0" in shown
        assert "How many days of leave do I have?" in shown
        assert "https://desk.example.com/17" in shown
        good = client.get("/feedback?said=good").text
        assert "said-0" not in good
        assert "unknown" in good
        assert "said-0" in client.get("/feedback?said=bad&endpoint=help-desk").text
        assert client.get("/feedback?said=ugly").status_code == 422


def test_a_viewer_sees_no_texts_and_no_form(told: Platform) -> None:
    with browser(told.workspace, VIEWER) as client:
        shown = client.get("/feedback/answers/said-1").text
        assert "Do days of leave expire?" not in shown
        assert "Make a golden row" not in shown
        week = client.get(f"/feedback/weeks/{told.ids['week']}").text
        assert "days of leave" not in week.replace("Wrong days of leave", "")
        assert client.post("/feedback/answers/said-1/promote", data={"dataset": "golden"}).status_code == 403


def test_a_week_shows_figures_themes_and_the_worst(told: Platform) -> None:
    with browser(told.workspace) as client:
        shown = client.get(f"/feedback/weeks/{told.ids['week']}")
        assert shown.status_code == 200
        assert stray_tags(shown.text) == []
        assert "0 of" in shown.text
        for heading in ("Endpoints", "Releases", "Surveys", "Themes", "Worst answers"):
            assert f">{heading}</h2>" in shown.text
        assert client.get("/feedback/weeks/2026-W60").status_code == 422
        assert "Nobody was answered" in client.get("/feedback/weeks/2020-W01").text


def test_a_bad_answer_becomes_a_golden_row(told: Platform) -> None:
    with browser(told.workspace) as client:
        answer = client.get("/feedback/answers/said-0").text
        assert "You have 28 days of leave." in answer
        given = {"dataset": "golden", "answer": "28 days, says ana@example.com\r\nand bob."}
        draft = client.post("/feedback/answers/said-0/draft", data=given)
        assert draft.status_code == 200
        assert "28 days, says [EMAIL]" in draft.text
        added = client.post("/feedback/answers/said-0/promote", data=fields(draft.text))
        assert (added.status_code, added.headers["location"]) == (303, "/datasets/golden%401")
        assert "golden@1" in client.get("/feedback/answers/said-0").text
        again = client.post("/feedback/answers/said-0/promote", data=fields(draft.text))
        assert (again.status_code, "by now" in again.text) == (409, True)
        assert "asks the same" in client.post("/feedback/answers/said-0/draft", data=given).text
    with told.workspace.reading(ADMIN) as uow:
        (row,) = datasets.rows(uow, datasets.get(uow, "golden"))
    assert row["answer"] == "28 days, says [EMAIL]\nand bob."


def test_hostile_words_are_shown_as_words(told: Platform) -> None:
    with browser(told.workspace) as client:
        for address in ("/feedback", "/feedback/answers/said-8", "/feedback/answers/said-0"):
            assert stray_tags(client.get(address).text) == [], address
        draft = client.post("/feedback/answers/said-8/draft", data={"dataset": "golden", "answer": HOSTILE})
        assert stray_tags(draft.text) == []
        assert client.get("/feedback/answers/nobody").status_code == 404
        assert client.get("/feedback/answers/%00").status_code in (404, 422)
