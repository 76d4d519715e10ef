"""What a person does in the console, in a real browser."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from opsloop.feedback import service as feedback
from opsloop.releases import rollouts
from tests.acceptance.console.conftest import Site, Visitor, visit
from tests.integration.console import flows
from tests.integration.console.conftest import ADMIN, HOSTILE

WAIT_MS = 60_000


def shown(page: Any, text: str) -> None:
    page.get_by_text(text).first.wait_for(timeout=WAIT_MS)


def test_an_operator_promotes_a_candidate(visitor: Visitor) -> None:
    page = visitor.open("/")
    page.get_by_role("link", name="support-chat", exact=True).click()
    page.get_by_role("link", name="Promote …").click()
    shown(page, "This is what changes")
    page.get_by_role("button", name="Promote").click()
    shown(page, "Promoted: the candidate serves everybody now.")
    with visitor.site.platform.workspace.reading(ADMIN) as uow:
        assert rollouts.get(uow, visitor.site.platform.ids["running"]).rollout.status.value == "promoted"


def test_figures_change_in_place_and_a_moved_rollout_redraws_the_page(visitor: Visitor) -> None:
    page = visitor.open("/")
    shown(page, "live")
    rate = page.locator('[data-live="support-chat/rate"]')
    before = rate.text_content()
    page.evaluate("document.querySelector('main').dataset.mine = 'still here'")
    platform = visitor.site.platform
    platform.ask("support-chat", 900)
    page.wait_for_function(
        "before => document.querySelector('[data-live=\"support-chat/rate\"]').textContent !== before",
        arg=before,
        timeout=WAIT_MS,
    )
    with platform.workspace.writing(ADMIN) as uow:
        rollouts.pause(uow, platform.ids["running"])
    shown(page, "paused")
    assert page.evaluate("document.querySelector('main').dataset.mine") == "still here"


def test_eight_tabs_stay_live_on_one_stream(visitor: Visitor) -> None:
    pages = [visitor.open("/") for _ in range(8)]
    for page in pages:
        shown(page, "live")
    assert visitor.site.control_plane.state.console_feed.listeners == 1
    with visitor.site.platform.workspace.writing(ADMIN) as uow:
        rollouts.pause(uow, visitor.site.platform.ids["running"])
    for page in pages:
        shown(page, "paused")


def test_a_question_is_answered_and_judged(visitor: Visitor) -> None:
    page = visitor.open("/chat/support-chat")
    page.get_by_label("Question").fill("How many days of leave?")
    page.keyboard.press("Enter")
    page.locator(".assistant .text", has_text="How many days of leave?").wait_for(timeout=WAIT_MS)
    page.get_by_role("button", name="Bad answer").click()
    shown(page, "Kept, thank you.")
    with visitor.site.platform.workspace.reading(ADMIN) as uow:
        (given,) = feedback.newest(uow, limit=1)
    assert given.thumb == "down"
    page.reload()
    assert page.locator(".talk li").count() == 2
    page.get_by_role("button", name="New conversation").click()
    assert page.locator(".talk li").count() == 0


def test_a_hostile_answer_is_text(visitor: Visitor) -> None:
    page = visitor.open("/chat/support-chat")
    question = HOSTILE.replace("\u202e\u0007", "")
    page.get_by_label("Question").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()
    page.locator(".assistant .text", has_text="<script>alert(1)</script>").wait_for(timeout=WAIT_MS)
    assert page.locator(".talk img").count() == 0


def test_the_palette_goes_anywhere_from_the_keyboard(visitor: Visitor) -> None:
    page = visitor.open("/")
    page.keyboard.press("Control+k")
    page.get_by_role("option").first.wait_for(timeout=WAIT_MS)
    page.keyboard.type("golden")
    page.keyboard.press("Enter")
    page.wait_for_url("**/datasets/golden", timeout=WAIT_MS)
    page.goto(f"{visitor.site.url}/audit")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "target"


def test_a_filter_is_in_the_address_and_comes_back_with_the_back_button(visitor: Visitor) -> None:
    page = visitor.open("/audit")
    page.get_by_label("Action begins with").fill("rollout.")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**action=rollout.**")
    page.get_by_role("link", name="Verify the record").click()
    shown(page, "The record holds")
    page.go_back()
    page.wait_for_url("**action=rollout.**")
    assert page.get_by_label("Action begins with").input_value() == "rollout."


def test_everything_works_without_scripts(chromium: Any, site: Site) -> None:
    visitor = visit(chromium, site, java_script_enabled=False)
    page = visitor.open("/chat/support-chat")
    page.get_by_label("Question").fill("How many days of leave?")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.locator(".assistant .text", has_text="How many days of leave?").wait_for(timeout=WAIT_MS)
    page.get_by_label("Question").fill("And of sick leave?")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.locator(".assistant .text", has_text="And of sick leave?").wait_for(timeout=WAIT_MS)
    assert page.locator(".talk li").count() == 4
    page.goto(f"{site.url}/endpoints/support-chat/pause")
    page.get_by_role("button", name="Pause").click()
    shown(page, "Paused: the candidate keeps its share")
    visitor.context.close()
    assert visitor.faults == []


def test_a_stopping_platform_ends_its_streams(site: Site) -> None:
    with httpx.stream("GET", f"{site.url}/api/events?topics=overview", timeout=60) as answer:
        lines = answer.iter_lines()
        while not next(lines).startswith("data:"):
            pass
        site.platform.workspace.stopping.set()
        assert not any(line.startswith("data: nothing") for line in lines)


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_the_screen(chromium: Any, site: Site, width: int) -> None:
    visitor = visit(chromium, site, viewport={"width": width, "height": 900})
    page = visitor.open("/")
    ids = site.platform.ids
    for path in (
        "/",
        "/endpoints/support-chat",
        f"/rollouts/{ids['rolled_back']}",
        f"/rollouts/{ids['experiment']}",
        f"/rollouts/{ids['asking']}/approval",
        "/endpoints/support-chat/releases/1..2",
        f"/evaluations/{ids['failed_run']}",
        f"/incidents/{ids['incident']}",
        "/detectors",
        "/remediations",
        f"/remediations/{ids['repair']}",
        f"/remediations/{ids['advice']}",
        "/playbooks",
        "/assistant",
        "/audit",
        "/chat/support-chat",
        "/datasets/golden",
        "/jobs",
        "/limits",
        "/usage",
        "/diagnose",
    ):
        page.goto(site.url + path)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
    visitor.context.close()


def test_a_flow_is_tried_with_its_form_and_a_node_is_opened(visitor: Visitor) -> None:
    page = visitor.open("/")
    page.get_by_role("link", name="Flows").click()
    page.get_by_role("link", name="help-desk", exact=True).click()
    page.get_by_role("link", name="classify, python").focus()
    page.keyboard.press("Enter")
    page.locator("#panel-n0[open]").wait_for(timeout=WAIT_MS)
    page.get_by_label("question").fill("How many days of leave?")
    page.get_by_label("tags").fill("[1,")
    page.get_by_label("options").focus()
    shown(page, "not JSON; wanted a list as JSON")
    page.get_by_label("tags").fill('["now"]')
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*", timeout=WAIT_MS)
    shown(page, "Nodes in time")
    assert page.locator(".waterfall tbody tr").count() == 4
    page.locator(".waterfall").get_by_role("link", name="ask").click()
    page.locator("#panel-n1[open]").wait_for(timeout=WAIT_MS)
    shown(page, "Answer in one sentence.")
    address = page.url
    page.get_by_role("link", name="Run again …").click()
    shown(page, "Run it")
    assert page.get_by_label("question").input_value() == "How many days of leave?"
    assert page.get_by_label("tags").input_value() == '["now"]'
    page.goto(address)
    shown(page, "The leave is 30 days a year.")


def test_a_flow_runs_without_scripts(chromium: Any, site: Site) -> None:
    visitor = visit(chromium, site, java_script_enabled=False)
    page = visitor.open("/flows/help-desk")
    page.get_by_role("button", name="Run", exact=True).click()
    shown(page, "nothing is given; wanted text")
    page.get_by_label("question").fill("hello there")
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*", timeout=WAIT_MS)
    shown(page, "Hello! hello there")
    visitor.context.close()
    assert [each for each in visitor.faults if "422" not in each] == []


def test_a_run_is_told_while_it_goes_on_and_can_be_stopped(visitor: Visitor) -> None:
    site = visitor.site
    dag = """
        inputs: {x: {type: string, default: hello}}
        outputs: {y: {type: string, reference: "${talk.output}", is_chat_output: true}}
        nodes: [{name: talk, type: python, source: {type: code, path: talk.py}, inputs: {x: "${inputs.x}"}}]
    """
    talk = """\
import asyncio

from promptflow.core import tool


@tool
async def talk(x: str):
    yield x + " and"
    await asyncio.Event().wait()
"""
    flows.register(site.platform.workspace, site.platform.folder, "talker", dag, {"talk.py": talk})
    page = visitor.open("/flows/talker")
    page.get_by_role("button", name="Run", exact=True).click()
    shown(page, "hello and")
    shown(page, "Running, ")
    page.get_by_role("button", name="Stop").click()
    shown(page, "Stopped.")
    assert page.get_by_role("button", name="Run", exact=True).is_enabled()
