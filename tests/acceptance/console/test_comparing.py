"""Comparing evaluations in a real browser, and a report with hostile rows opened in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from opsloop.evaluation.reports.html import render
from tests.acceptance.console.conftest import Site, Visitor, visit
from tests.unit.evaluation.made import hostile_report, report, rows

WAIT_MS = 15_000


@pytest.mark.parametrize("scripts", [True, False])
def test_two_evaluations_are_ticked_and_compared(chromium: Any, site: Site, scripts: bool) -> None:
    visitor = visit(chromium, site, java_script_enabled=scripts)
    page = visitor.open("/evaluations")
    ids = site.platform.ids
    for run in (ids["run"], ids["failed_run"]):
        page.locator(f'input[name=run][value="{run}"]').check()
    page.get_by_role("button", name="Compare the two ticked").click()
    page.wait_for_url("**/compare?base=*")
    assert page.locator(".verdict").text_content().startswith("Worse in ")
    page.get_by_role("link", name=re.compile(r"^Worse \(")).click()
    page.wait_for_url("**rows=worse**")
    page.locator("tbody tr[id^=row-] th a").nth(2).click()
    page.wait_for_url("**row=2**")
    assert page.locator("tr[id^=row-]").count() == 1
    assert page.locator("td.now mark").count() >= 1
    page.go_back()
    page.wait_for_url("**rows=worse**")
    assert page.locator("tr[id^=row-]").count() == 20
    visitor.context.close()
    assert visitor.faults == []


def test_one_tick_is_asked_for_a_second(visitor: Visitor) -> None:
    page = visitor.open("/evaluations")
    page.locator("input[name=run]").first.check()
    page.get_by_role("button", name="Compare the two ticked").click()
    page.get_by_text("a comparison takes two").wait_for(timeout=WAIT_MS)
    assert page.get_by_label("Base").count() == 1


def opened(chromium: Any, file: Path, faults: list[str], **options: Any) -> Any:
    context = chromium.new_context(**options)
    page = context.new_page()
    page.on("console", lambda said: faults.append(said.text))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.on("request", lambda request: None if request.url.startswith("file:") else faults.append(request.url))
    page.goto(file.as_uri())
    return page


def test_a_report_of_hostile_rows_runs_loads_and_leads_nowhere(chromium: Any, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(render(hostile_report()))
    faults: list[str] = []
    page = opened(chromium, file, faults)
    assert "owned" not in page.title()
    assert page.locator("script, img, iframe").count() == 0
    assert page.locator("style").count() == 1
    assert page.get_by_text("<script>document.title='owned'</script>").count() > 0
    assert page.evaluate("getComputedStyle(document.body).maxWidth") == "1200px"  # its own style is let through
    assert page.evaluate("[...document.links].every(link => link.getAttribute('href').startsWith('#'))")
    page.context.close()
    assert faults == []


def test_a_large_report_is_read_and_filtered_without_scripts(chromium: Any, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(render(report(rows([0, 1] * 1_500), rows([1] * 3_000))))
    faults: list[str] = []
    page = opened(chromium, file, faults, java_script_enabled=False)
    page.get_by_text("Show the table").click()
    page.locator("#only-broke").check()
    assert page.locator(".all tr.broke").first.is_visible()
    assert not page.locator(".all tbody tr:not(.broke)").first.is_visible()
    page.context.close()
    assert faults == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_in_a_report(chromium: Any, tmp_path: Path, theme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="install axe-playwright-python").Axe()
    file = tmp_path / "report.html"
    # The report lets no script run, axe's neither: it is looked at without its policy.
    html = render(hostile_report()).replace('http-equiv="Content-Security-Policy"', 'name="policy"')
    file.write_text(html)
    faults: list[str] = []
    page = opened(chromium, file, faults, color_scheme=theme, viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    violations = axe.run(page).response["violations"]
    page.context.close()
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in violations] == []
