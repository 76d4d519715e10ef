from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import Workspace
from opsloop.feedback import service as feedback
from opsloop.feedback.surveys import service
from opsloop.feedback.surveys.models import Invitation
from opsloop.feedback.surveys.pacing import Pace, TooOften
from opsloop.feedback.surveys.service import AnsweredAlready, InvitationExpired, InvitationMissing

DECLARED: dict[str, Any] = {
    "title": "How did we do?",
    "endpoint": "support-chat",
    "valid_days": 14,
    "questions": [
        {"id": "csat", "kind": "csat", "ask": "How satisfied are you with the answer?"},
        {"id": "nps", "kind": "nps", "ask": "Would you recommend us?", "required": False},
        {"id": "topic", "kind": "choice", "ask": "What was it about?", "options": ["Leave", "Pay"], "required": False},
        {"id": "why", "kind": "text", "ask": "Why?"},
    ],
}


def invited(workspace: Workspace, by: Caller, request_id: str | None = "req_1") -> Invitation:
    with workspace.writing(by) as uow:
        service.declare(uow, "after-chat", DECLARED)
        return service.invite(uow, "after-chat", request_id=request_id)


def respond(workspace: Workspace, by: Caller, invitation: Invitation, **answers: Any) -> None:
    with workspace.writing(by) as uow:
        service.respond(uow, invitation.id, answers)


def test_a_response_is_counted_and_is_feedback_on_the_answer(workspace: Workspace, admin: Caller) -> None:
    first, second, third = (invited(workspace, admin, f"req_{number}") for number in (1, 2, 3))
    respond(workspace, admin, first, csat="2", nps="3", topic="Leave", why="ask ana.lima@example.com")
    respond(workspace, admin, second, csat=5, nps=10)
    assert third.answered_at is None
    with workspace.reading(admin) as uow:
        now = uow.clock.now()
        found = service.figures(uow, "after-chat", since=now, until=now + timedelta(seconds=1))
        given = feedback.newest(uow)
        answers = service.responses(uow, "after-chat")
    assert (found.response.count, found.response.of, found.csat.count, found.csat.of) == (2, 3, 1, 2)
    assert (found.nps, found.nps_count, found.choices) == (0.0, 2, {"topic": {"Leave": 1}})
    assert [(each.request_id, each.csat, each.comment, each.source) for each in given] == [
        ("req_2", 5, None, "survey"),
        ("req_1", 2, "ask [EMAIL]", "survey"),
    ]
    assert [each.is_satisfied for each in given] == [True, False]
    assert answers[1].answers == {"csat": 2, "nps": 3, "topic": "Leave", "why": "ask [EMAIL]"}


def test_a_link_is_good_for_one_response(workspace: Workspace, admin: Caller) -> None:
    invitation = invited(workspace, admin)
    respond(workspace, admin, invitation, csat=4)
    with pytest.raises(AnsweredAlready):
        respond(workspace, admin, invitation, csat=1)
    with workspace.reading(admin) as uow:
        assert [each.csat for each in feedback.newest(uow)] == [4]


def test_a_link_expires(sqlite_workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    invitation = invited(sqlite_workspace, admin)
    clock.advance(14 * 86_400)
    with pytest.raises(InvitationExpired):
        respond(sqlite_workspace, admin, invitation, csat=4)


@pytest.mark.parametrize("link", ["", "after-chat", "x" * 22, "x" * 5_000, "é" * 22])
def test_a_guess_leads_nowhere(sqlite_workspace: Workspace, admin: Caller, link: str) -> None:
    invited(sqlite_workspace, admin)
    with sqlite_workspace.reading(admin) as uow, pytest.raises(InvitationMissing):
        service.opened(uow, link)


def test_what_was_sent_asks_what_it_asked(sqlite_workspace: Workspace, admin: Caller) -> None:
    invitation = invited(sqlite_workspace, admin)
    with sqlite_workspace.writing(admin) as uow:
        service.declare(uow, "after-chat", {**DECLARED, "questions": DECLARED["questions"][1:2]})
    respond(sqlite_workspace, admin, invitation, csat=4)
    with sqlite_workspace.reading(admin) as uow:
        now = uow.clock.now()
        assert service.figures(uow, "after-chat", since=now, until=now + timedelta(seconds=1)).csat.count == 1


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({}, "csat"),
        ({"csat": "6"}, "csat"),
        ({"csat": "4.5"}, "csat"),
        ({"csat": True}, "csat"),
        ({"csat": 4, "nps": 11}, "nps"),
        ({"csat": 4, "topic": "Else"}, "topic"),
        ({"csat": 4, "why": "x" * 4_001}, "why"),
        ({"csat": 4, "colour": "red"}, "colour"),
    ],
)
def test_a_wrong_answer_is_named_and_leaves_the_link_good(
    sqlite_workspace: Workspace, admin: Caller, answers: dict[str, Any], field: str
) -> None:
    invitation = invited(sqlite_workspace, admin)
    with pytest.raises(InvalidInput) as refused:
        respond(sqlite_workspace, admin, invitation, **answers)
    assert refused.value.facts["field"] == field
    respond(sqlite_workspace, admin, invitation, csat=4)


def test_an_unknown_survey_is_named(sqlite_workspace: Workspace, admin: Caller) -> None:
    with sqlite_workspace.reading(admin) as uow, pytest.raises(NotFound, match="no survey named 'after-lunch'"):
        service.get(uow, "after-lunch")


def test_declaring_the_same_twice_is_put_on_record_once(sqlite_workspace: Workspace, admin: Caller) -> None:
    invited(sqlite_workspace, admin)
    with sqlite_workspace.writing(admin) as uow:
        service.declare(uow, "after-chat", DECLARED)
        assert uow.records == []


def test_an_address_that_comes_too_often_has_to_wait(clock: FakeClock) -> None:
    pace = Pace(clock, 3)
    for _ in range(3):
        pace.admit("192.0.2.1")
    with pytest.raises(TooOften):
        pace.admit("192.0.2.1")
    pace.admit("192.0.2.2")
    clock.advance(20)
    pace.admit("192.0.2.1")
    with pytest.raises(TooOften):
        pace.admit("192.0.2.1")
