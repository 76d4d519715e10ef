"""Every page, checked by axe: all its rules, colours in both themes, and the rest on a narrow screen too."""

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


WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 900}
# Contrast takes as long as all other rules do. It is a matter of colours, which a theme changes and a width does not.
CONTRAST = "color-contrast"
PASSES: tuple[tuple[Any, str, dict[str, Any]], ...] = (
    (WIDE, "light", {}),
    (WIDE, "dark", {"runOnly": [CONTRAST]}),
    (NARROW, "dark", {"rules": {CONTRAST: {"enabled": False}}}),
)


@pytest.mark.slow
def test_axe_finds_nothing(chromium: Any, site: Site) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="install axe-playwright-python").Axe()
    visitor = visit(chromium, site)
    page = visitor.open("/")
    found = {}
    for path in (*addresses(site.platform), *watched(site)):
        page.goto(site.url + path)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        page.evaluate(axe.axe_script)
        for size, theme, options in PASSES:
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            said = page.evaluate("options => axe.run(options)", {"resultTypes": ["violations"], **options})
            if said["violations"]:
                found[f"{path}, {theme}, {size['width']}"] = [
                    (each["id"], each["impact"], each["nodes"][0]["html"][:200]) for each in said["violations"]
                ]
    visitor.context.close()
    assert found == {}
    assert visitor.faults == []
