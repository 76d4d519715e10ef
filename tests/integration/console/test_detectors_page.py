"""What watches, how often it was wrong, and what is muted, without a script."""

from __future__ import annotations

import httpx

from opsloop.core.caller import Caller, Role
from opsloop.incidents import service as incidents
from opsloop.incidents.learning import standing
from opsloop.incidents.models import ClosedAs
from tests.integration.console.conftest import ADMIN, HOSTILE, Platform, browser
from tests.integration.console.test_pages import stray_tags
from tests.integration.incidents.telling import over, seen, told


def cry(platform: Platform, *, closed_as: ClosedAs, key: str) -> None:
    now = platform.workspace.clock.now()
    signal = seen("Noisy", service="cart", at=now, key=key)
    opened = told(platform.workspace, signal).opened
    told(platform.workspace, over(signal, now))
    with platform.workspace.writing(ADMIN) as uow:
        for each in opened:
            incidents.close(uow, each, closed_as=closed_as, cause="the disk" if closed_as is ClosedAs.CAUSE else "")


def test_without_signals_the_page_says_what_watches(page: httpx.Client) -> None:
    shown = page.get("/detectors")
    assert shown.status_code == 200
    assert "Nothing was found yet" in shown.text
    assert "services that send log records over OTLP are watched" in shown.text


def test_false_alarms_are_counted_and_a_detector_is_muted_and_heard_again(
    platform: Platform, page: httpx.Client
) -> None:
    for number, closed_as in enumerate((ClosedAs.FALSE_ALARM, ClosedAs.CAUSE, ClosedAs.FALSE_ALARM)):
        cry(platform, closed_as=closed_as, key=str(number))
    with platform.workspace.reading(ADMIN) as uow:
        (found,) = [each for each in standing.standings(uow) if each.name == "Noisy"]
    assert (found.confirmed, found.false_alarms_ever, found.false_alarms) == (1, 2, 1)
    assert "2 of 3 (66.7 %)" in page.get("/detectors").text
    assert page.post(f"/detectors/{found.mark}/mute").headers["location"] == "/detectors"
    assert "Hear it again" in page.get("/detectors").text
    now = platform.workspace.clock.now()
    assert told(platform.workspace, seen("Noisy", service="cart", at=now, key="muted")).opened == ()
    assert page.post(f"/detectors/{found.mark}/forgive").status_code == 303
    assert len(told(platform.workspace, seen("Noisy", service="cart", at=now, key="heard")).opened) == 1
    assert page.post("/detectors/nothing/mute").status_code == 404


def test_names_of_others_are_text_and_a_viewer_sees_no_buttons(platform: Platform, page: httpx.Client) -> None:
    told(platform.workspace, seen(HOSTILE, service=HOSTILE, at=platform.workspace.clock.now()))
    assert stray_tags(page.get("/detectors").text) == []
    with browser(platform.workspace, Caller("key:reader", Role.VIEWER)) as reader:
        shown = reader.get("/detectors").text
        assert "Mute" not in shown
        with platform.workspace.reading(ADMIN) as uow:
            mark = standing.standings(uow)[0].mark
        assert reader.post(f"/detectors/{mark}/mute").status_code == 403
