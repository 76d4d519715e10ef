"""The assistant's page in a browser: without scripts, and checked by axe with an answer on it, in both themes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.console.conftest import Site, visit

QUESTION = "Which suspect is named for the cause of the incident?"


def asked(chromium: Any, site: Site, question: str = QUESTION, **options: Any) -> tuple[Any, Any]:
    visitor = visit(chromium, site, **options)
    page = visitor.open("/")
    page.get_by_role("link", name="Assistant").click()
    page.get_by_label("Ask what happened").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()
    return visitor, page


def test_a_question_is_answered_without_scripts_and_its_quotes_are_followed(chromium: Any, site: Site) -> None:
    visitor, page = asked(chromium, site, java_script_enabled=False)
    page.get_by_role("heading", name="Quotes").wait_for()
    quotes = page.locator(".quotes li")
    assert quotes.count() > 0
    quotes.first.get_by_role("link").click()
    page.wait_for_url("**/incidents/*")
    visitor.context.close()


def test_what_nothing_answers_says_so(chromium: Any, site: Site) -> None:
    visitor, page = asked(chromium, site, "How many vacation days do employees in Norway get?")
    page.get_by_text("Nothing that is stored answers this question.").wait_for()
    assert visitor.faults == []
    visitor.context.close()


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_in_an_answer(chromium: Any, site: Site, theme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="install axe-playwright-python").Axe()
    visitor = visit(
        chromium, site, color_scheme=theme, viewport={"width": width, "height": 900}, reduced_motion="reduce"
    )
    page = visitor.open("/assistant")
    page.get_by_label("Ask what happened").fill(QUESTION)
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("heading", name="Quotes").wait_for()
    violations = axe.run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert visitor.faults == []
    visitor.context.close()
