"""The form of a survey, without a key."""

from __future__ import annotations

from opsloop.feedback.surveys import service
from opsloop.feedback.surveys.models import Invitation
from tests.integration.console.conftest import ADMIN, Platform, browser
from tests.integration.console.test_pages import stray_tags
from tests.integration.feedback.test_surveys import DECLARED

HOSTILE = "<script>alert(1)</script>"


def invited(platform: Platform) -> Invitation:
    with platform.workspace.writing(ADMIN) as uow:
        service.declare(uow, "after-chat", {**DECLARED, "title": HOSTILE})
        return service.invite(uow, "after-chat", request_id="req_1")


def test_a_person_answers_once(platform: Platform) -> None:
    invitation = invited(platform)
    with browser(platform.workspace) as client:
        shown = client.get(invitation.path)
        assert shown.status_code == 200
        assert stray_tags(shown.text) == []
        assert "<nav" not in shown.text
        wrong = client.post(invitation.path, data={"why": HOSTILE})
        assert wrong.status_code == 422
        assert 'role="alert"' in wrong.text
        assert stray_tags(wrong.text) == []
        thanks = client.post(invitation.path, data={"csat": "4", "nps": "", "why": ""})
        assert (thanks.status_code, "Your answers were sent" in thanks.text) == (200, True)
        again = client.post(invitation.path, data={"csat": "1"})
        assert (again.status_code, "answered already" in again.text) == (409, True)
        assert client.get("/survey/nobody-sent-this-link").status_code == 404


def test_a_flood_from_one_address_is_told_to_wait(platform: Platform) -> None:
    with browser(platform.workspace) as client:
        codes = [client.get("/survey/x").status_code for _ in range(61)]
    assert (codes[0], codes[-1]) == (404, 429)
