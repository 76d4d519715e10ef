"""Every page, checked by axe in both themes and on both widths: no violation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from opsloop.monitoring.alarms import service as alarms
from tests.acceptance.console.conftest import Site, visit
from tests.integration.console.conftest import ADMIN
from tests.integration.console.test_pages import addresses
from tests.integration.monitoring.iris import drifted


def watched(site: Site) -> tuple[str, ...]:
    """The pages of an endpoint that serves a model, with an alarm."""
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's driver keeps an event loop in this thread
        elsewhere.submit(drifted, site.platform.workspace, site.platform.clock).result()
        alarm = elsewhere.submit(_alarm, site).result()
    return ("/endpoints/iris/drift?by=colour&window=3600", f"/endpoints/iris/drift/close?alarm={alarm}")


def _alarm(site: Site) -> str:
    with site.platform.workspace.reading(ADMIN) as uow:
        return alarms.unclosed(uow, "iris")[0].id


THEMES = ("light", "dark")
WIDTHS = (1280, 390)


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing(chromium: Any, site: Site, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="install axe-playwright-python").Axe()
    visitor = visit(chromium, site, viewport={"width": width, "height": 900})
    page = visitor.open("/")
    found = {}
    for path in (*addresses(site.platform), *watched(site)):
        page.goto(site.url + path)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        for theme in THEMES:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            violations = axe.run(page).response["violations"]
            if violations:
                found[f"{path}, {theme}"] = [
                    (each["id"], each["impact"], each["nodes"][0]["html"][:200]) for each in violations
                ]
    visitor.context.close()
    assert found == {}
    assert visitor.faults == []
