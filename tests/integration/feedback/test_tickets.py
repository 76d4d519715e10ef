from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.errors import Denied, InvalidInput, NotFound
from opsloop.core.workspace import Workspace
from opsloop.feedback.tickets import service
from opsloop.feedback.tickets.models import TicketGiven, TicketsTaken


def take(workspace: Workspace, by: Caller, *given: TicketGiven, system: str = "zendesk") -> TicketsTaken:
    with workspace.writing(by) as uow:
        return service.take(uow, system, given)


def ticket(id: str = "17", **given: Any) -> TicketGiven:
    return TicketGiven(id, **{"subject": "Wrong number of days", **given})


def test_a_ticket_is_kept_once_however_often_it_comes(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    opened = datetime(2026, 12, 30, tzinfo=UTC)
    assert str(take(workspace, admin, ticket(opened_at=opened), ticket("18"))) == "2 new, 0 changed, 0 as they were"
    clock.advance(60)
    assert take(workspace, admin, ticket(), ticket("18")).unchanged == 2
    assert take(workspace, admin, ticket(status="solved")).updated == 1
    assert take(workspace, admin, ticket(), system="jira").created == 1
    with workspace.reading(admin) as uow:
        found = service.newest(uow, system="zendesk")
        assert [(each.outer_id, each.status) for each in found] == [("18", None), ("17", "solved")]
        assert found[1].opened_at == opened
        assert service.newest(uow, until=opened + timedelta(days=1)) == [found[1]]


def test_a_ticket_keeps_no_personal_data(sqlite_workspace: Workspace, admin: Caller) -> None:
    given = ticket(body="I am ana.lima@example.com, card 4111 1111 1111 1111.", request_id="req_1")
    take(sqlite_workspace, admin, given)
    with sqlite_workspace.reading(admin) as uow:
        (found,) = service.newest(uow, request_id="req_1")
    assert found.body == "I am [EMAIL], card [PAYMENT_CARD]."


def test_a_ticket_is_let_go_of_by_the_id_that_it_has_there(workspace: Workspace, admin: Caller) -> None:
    take(workspace, admin, ticket("17"), ticket("a/b"))
    with workspace.writing(admin) as uow:
        service.erase(uow, "zendesk", "a/b")
        with pytest.raises(NotFound, match="zendesk/a/b"):
            service.erase(uow, "zendesk", "a/b")
        assert [each.outer_id for each in service.newest(uow)] == ["17"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"id": "a b"}, "items.1.id"),
        ({"subject": "", "body": " "}, "items.1.subject"),
        ({"subject": "x" * 501}, "items.1.subject"),
        ({"body": "\0"}, "items.1.body"),
        ({"request_id": "a b"}, "items.1.request_id"),
        ({"link": "javascript:alert(1)"}, "items.1.link"),
        ({"link": "https://user:secret@desk.example.com/1"}, "items.1.link"),
        ({"tags": ["<b>"]}, "items.1.tags"),
        ({"opened_at": datetime(2099, 1, 1, tzinfo=UTC)}, "items.1.opened_at"),
    ],
)
def test_a_wrong_ticket_is_named_and_nothing_is_kept(
    sqlite_workspace: Workspace, admin: Caller, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        take(sqlite_workspace, admin, ticket("1"), ticket(**{"id": "2", **given}))
    assert refused.value.facts["field"] == field
    with sqlite_workspace.reading(admin) as uow:
        assert service.newest(uow) == []


def test_who_may_only_look_takes_nothing_in(sqlite_workspace: Workspace) -> None:
    with pytest.raises(Denied):
        take(sqlite_workspace, Caller("key:watcher", Role.VIEWER), ticket())
