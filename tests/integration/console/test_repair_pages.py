"""Repairs as operators and viewers see them; forms without a script."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from opsloop.console import live
from opsloop.console.pages import remediation as one
from opsloop.core.caller import Caller, Role
from opsloop.incidents import service as incidents
from opsloop.incidents.models import ClosedAs
from opsloop.remediation import execution, service
from opsloop.remediation.models import Remediation, State
from opsloop.remediation.settings import RemediationSettings
from tests.integration.console.conftest import ADMIN, HOSTILE, Platform, browser
from tests.integration.console.repaired import ENDPOINT, repaired

READER = Caller("key:reader", Role.VIEWER)
SECOND = Caller("key:ben", Role.OPERATOR)


@pytest.fixture
def waiting(platform: Platform) -> Platform:
    """A repair waits for a yes."""
    flows = [platform.flow(suffix) for suffix in ("", ".")]
    platform.ids |= repaired(platform.workspace, ADMIN, *flows, hostile=HOSTILE)
    return platform


@pytest.fixture
def operator(waiting: Platform) -> Iterator[httpx.Client]:
    with browser(waiting.workspace, Caller("key:maria", Role.OPERATOR)) as client:
        yield client  # type: ignore[misc]


def found(platform: Platform, name: str = "repair") -> Remediation:
    with platform.workspace.reading(ADMIN) as uow:
        return service.get(uow, platform.ids[name])


def digest_in(html: str) -> str:
    (shown,) = set(re.findall(r'name="digest" value="([0-9a-f]+)"', html))
    return str(shown)


def test_a_repair_says_first_what_it_waits_for_and_a_yes_makes_it_act(
    waiting: Platform, operator: httpx.Client
) -> None:
    here = f"/remediations/{waiting.ids['repair']}"
    shown = operator.get(here).text
    verdict = f"release 1 of {ENDPOINT} serves everybody again, instead of 2, once somebody approves by"
    assert shown.index(verdict) < shown.index("What it would do")
    assert f"{ENDPOINT}: release 2 for everybody becomes release 1" in shown
    assert "0 verified successes in a row of 20" in shown
    assert "release 1 failed too" in shown
    assert f'data-copy="opsloop release rollback {ENDPOINT}"' in shown
    assert HOSTILE not in shown
    answer = operator.post(f"{here}/approve", data={"digest": digest_in(shown), "reason": "seen it"})
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    assert found(waiting).state is State.APPROVED
    execution.step(waiting.workspace, waiting.ids["repair"])
    acted = operator.get(here).text
    assert "What it did" in acted
    assert "The first look at signals" in acted
    assert "key:maria" in acted
    assert "seen it" in acted
    assert operator.post(f"{here}/undo", data={"reason": " "}).status_code == 422
    assert operator.post(f"{here}/undo", data={"reason": "it hit others"}).status_code == 303
    execution.step(waiting.workspace, waiting.ids["repair"])
    assert found(waiting).state is State.UNDONE


def test_a_yes_to_what_was_shown_before_is_refused(waiting: Platform, operator: httpx.Client) -> None:
    here = f"/remediations/{waiting.ids['repair']}"
    before = digest_in(operator.get(here).text)
    assert operator.post(f"{here}/renew").status_code == 303
    assert operator.post(f"{here}/approve", data={"digest": before}).status_code == 409
    assert operator.post(f"{here}/approve", data={"digest": ""}).status_code == 422
    assert operator.post(f"{here}/reject", data={"digest": before, "reason": "no"}).status_code == 409
    now = digest_in(operator.get(here).text)
    assert operator.post(f"{here}/reject", data={"digest": now, "reason": "a test of ours"}).status_code == 303
    assert "rejected by key:maria: a test of ours" in operator.get(here).text
    assert operator.get("/remediations/remediation_lost").status_code == 404


def test_a_question_that_lapsed_can_only_be_asked_again(waiting: Platform, operator: httpx.Client) -> None:
    here = f"/remediations/{waiting.ids['repair']}"
    waiting.clock.advance(1_000)
    shown = operator.get(here).text
    assert "lapsed" in shown
    assert f'action="{here}/approve"' not in shown
    assert f'action="{here}/renew"' in shown
    assert waiting.ids["repair"] not in operator.get("/remediations?waiting=true").text


def test_who_cannot_say_yes_sees_why(waiting: Platform) -> None:
    here = f"/remediations/{waiting.ids['repair']}"
    with browser(waiting.workspace, READER) as reader:
        shown = reader.get(here).text
        assert "Operators decide on repairs; your role is viewer." in shown
        assert "<form" not in shown.partition('id="main"')[2]
        assert reader.post(f"{here}/approve", data={"digest": found(waiting).digest}).status_code == 403
        assert reader.post("/remediations/halt", data={"reason": "x"}).status_code == 403
        assert "Operators rehearse playbooks" in reader.get("/playbooks").text


def test_of_two_people_one_yes_is_not_enough_and_the_page_says_so(waiting: Platform, operator: httpx.Client) -> None:
    waiting.workspace._sections[RemediationSettings] = RemediationSettings(remediation_four_eyes=["*"])
    here = f"/remediations/{waiting.ids['repair']}"
    operator.post(f"{here}/renew")
    operator.post(f"{here}/approve", data={"digest": digest_in(operator.get(here).text)})
    shown = operator.get(here).text
    assert "1 of 2 people said it" in shown
    assert "You said yes already; it needs somebody else" in shown
    with browser(waiting.workspace, SECOND) as second:
        second.post(f"{here}/approve", data={"digest": digest_in(second.get(here).text)})
    assert found(waiting).state is State.APPROVED


def test_while_repairs_are_halted_every_page_says_so(waiting: Platform, operator: httpx.Client) -> None:
    assert "halted all repairs" not in operator.get("/").text
    assert operator.post("/remediations/halt", data={"reason": " "}).status_code == 422
    assert operator.post("/remediations/halt", data={"reason": f"a migration {HOSTILE}"}).status_code == 303
    for path in ("/", "/audit", "/remediations", f"/incidents/{waiting.ids['repair_incident']}"):
        shown = operator.get(path).text
        assert "key:maria halted all repairs" in shown, path
        assert HOSTILE not in shown
    assert "Repairs are halted; resume them first." in operator.get(f"/remediations/{waiting.ids['repair']}").text
    assert operator.post("/remediations/halt", data={"reason": "twice"}).status_code == 409
    assert operator.post("/remediations/resume").status_code == 303
    assert "halted all repairs" not in operator.get("/audit").text
    assert operator.post("/remediations/resume").status_code == 409


def test_the_list_is_narrowed_by_the_address(waiting: Platform, operator: httpx.Client) -> None:
    ids = waiting.ids
    whole = operator.get("/remediations").text
    assert all(ids[name] in whole for name in ("repair", "advice", "rehearsal"))
    narrowed = operator.get("/remediations?waiting=true").text
    assert ids["repair"] in narrowed
    assert ids["advice"] not in narrowed
    assert "--waiting" in narrowed
    rehearsed = operator.get(f"/remediations?state=rehearsed&endpoint={ENDPOINT}").text
    assert ids["rehearsal"] in rehearsed
    assert ids["repair"] not in rehearsed
    assert "No repair matches" in operator.get("/remediations?endpoint=nowhere").text
    assert operator.get("/remediations?state=lost").status_code == 422


def test_what_waits_for_a_yes_stands_first_on_the_overview(waiting: Platform, operator: httpx.Client) -> None:
    shown = operator.get("/").text
    needs = shown[shown.index("What needs you") :]
    assert needs.index(f"/remediations/{waiting.ids['repair']}") < needs.index(
        f"/incidents/{waiting.ids['repair_incident']}"
    )
    assert f"/remediations/{waiting.ids['advice']}" not in needs


def test_an_incident_has_its_repairs_and_a_button_to_look_again(waiting: Platform, operator: httpx.Client) -> None:
    here = f"/incidents/{waiting.ids['repair_incident']}"
    shown = operator.get(here).text
    assert f'href="/remediations/{waiting.ids["repair"]}"' in shown
    answer = operator.post(f"{here}/remediations")
    assert answer.headers["location"] == f"{here}?proposed=0#repairs"
    assert "Looked again: nothing new fits." in operator.get(f"{here}?proposed=0").text
    with waiting.workspace.writing(ADMIN) as uow:
        incidents.close(uow, waiting.ids["repair_incident"], closed_as=ClosedAs.FALSE_ALARM)
    assert "Look again" not in operator.get(here).text
    assert operator.post("/incidents/incident_lost/remediations").status_code == 404


def test_an_id_leads_to_its_repair(waiting: Platform, operator: httpx.Client) -> None:
    repair = waiting.ids["repair"]
    assert operator.get(f"/go/{repair}").headers["location"] == f"/remediations/{repair}"
    incident = waiting.ids["repair_incident"]
    assert operator.get(f"/go/{incident}").headers["location"] == f"/incidents/{incident}"


def test_a_playbook_is_rehearsed_by_a_form(waiting: Platform, operator: httpx.Client) -> None:
    shown = operator.get("/playbooks").text
    assert "0 verified successes in a row of 20" in shown
    assert 'action="/playbooks/roll-back-release/rehearse"' in shown
    assert 'action="/playbooks/ask-around/rehearse"' not in shown
    rehearse = "/playbooks/roll-back-release/rehearse"
    answer = operator.post(rehearse, data={"endpoint": ENDPOINT, "release": "2"})
    assert answer.status_code == 303
    made = answer.headers["location"].removeprefix("/remediations/")
    while execution.step(waiting.workspace, made):
        pass
    with waiting.workspace.reading(ADMIN) as uow:
        assert service.get(uow, made).state is State.REHEARSED
    assert operator.post(rehearse, data={"endpoint": ENDPOINT, "release": "two"}).status_code == 422
    assert operator.post(rehearse, data={"endpoint": ENDPOINT, "release": "[" * 1_000}).status_code == 422
    assert operator.post("/playbooks/none/rehearse", data={}).status_code == 422


def test_an_open_page_hears_of_a_vote_a_lapse_and_a_halt(waiting: Platform) -> None:
    def look() -> live.Snapshot:
        with waiting.workspace.reading(ADMIN) as uow:
            return one.look(uow, waiting.ids["repair"])

    before = look()
    assert look() == before
    waiting.clock.advance(1_000)
    assert look().shape != before.shape
    lapsed = look()
    with waiting.workspace.writing(SECOND) as uow:
        service.reject(uow, waiting.ids["repair"], reason="no")
    assert look().shape != lapsed.shape
    assert found(waiting).stands(waiting.clock.now()) == "rejected"
