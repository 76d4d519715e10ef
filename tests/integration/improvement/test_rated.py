from __future__ import annotations

from opsloop.core.caller import Caller, Role
from opsloop.core.workspace import Workspace
from opsloop.feedback.tickets import service as tickets
from opsloop.feedback.tickets.models import TicketGiven
from opsloop.improvement import rated
from tests.integration.improvement.answers import answered, rate


def test_everything_of_an_answer_is_laid_together(workspace: Workspace, admin: Caller) -> None:
    answered(workspace, admin, "req_1", "why?", "so.")
    rate(workspace, admin, "req_1", thumb="up")
    rate(workspace, admin, "req_1", thumb="down", comment="no", correction="because")
    with workspace.writing(admin) as uow:
        tickets.take(uow, "desk", [TicketGiven("17", "wrong", request_id="req_1")])
        found = rated.of_request(uow, "req_1")
    assert (found.endpoint, found.question, found.answer, found.correction) == ("chat", "why?", "so.", "because")
    assert (found.is_satisfied, found.comments, [each.outer_id for each in found.tickets]) == (False, ("no",), ["17"])


def test_answers_stand_where_the_last_word_on_them_is(workspace: Workspace, admin: Caller) -> None:
    for number in range(6):
        answered(workspace, admin, f"req_{number}", "q", endpoint="chat" if number % 2 else "other")
        rate(workspace, admin, f"req_{number}", thumb="down")
    rate(workspace, admin, "req_1", thumb="up")
    rate(workspace, admin, "unknown", thumb="down")
    with workspace.reading(admin) as uow:
        first, following = rated.newest(uow, limit=3)
        rest, end = rated.newest(uow, before_seq=following, limit=10)
        bad, _ = rated.newest(uow, endpoint="chat", satisfied=False)
    assert [each.request_id for each in first] == ["unknown", "req_1", "req_5"]
    assert [each.request_id for each in rest] == ["req_4", "req_3", "req_2", "req_0"]
    assert end is None
    assert [each.request_id for each in bad] == ["req_5", "req_3"]


def test_a_viewer_sees_no_texts(sqlite_workspace: Workspace, admin: Caller) -> None:
    answered(sqlite_workspace, admin, "req_1", "why?")
    with sqlite_workspace.reading(Caller("key:watcher", Role.VIEWER)) as uow:
        found = rated.of_request(uow, "req_1")
    assert (found.endpoint, found.question) == ("chat", None)
