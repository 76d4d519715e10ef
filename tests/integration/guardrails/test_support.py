"""Cases of the support queue on both databases: who gets one, who may answer, what a ticket tells."""

from __future__ import annotations

import threading

import pytest

from opsloop.core.audit import service as audit
from opsloop.core.caller import Caller, NotAllowed, Role, system
from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import Workspace
from opsloop.guardrails.policy import Policy
from opsloop.guardrails.support import service
from opsloop.guardrails.support.errors import CaseHeld, CaseIsPast, CaseNotClaimed, NoSuchTicket, QueueFull
from opsloop.guardrails.support.models import CaseState, Said, Ticket

MARIA, TOM = Caller("key:maria", Role.OPERATOR), Caller("key:tom", Role.OPERATOR)


def opened(workspace: Workspace, text: str = "Help!", policy: Policy | None = None) -> Ticket:
    kept = service.keepable([Said("user", text)], policy or Policy())
    with workspace.writing(system("gateway")) as uow:
        return service.open_case(uow, "chat", "req_1", kept, kinds=["payment_card"], release="release_1")


def test_a_case_goes_from_open_to_closed_and_each_step_is_on_the_record(workspace: Workspace, admin: Caller) -> None:
    ticket = opened(workspace)
    with workspace.writing(MARIA) as uow:
        assert service.claim(uow, ticket.id).state is CaseState.CLAIMED
    with workspace.writing(MARIA) as uow:
        assert service.answer(uow, ticket.id, " Call us. ").answer == "Call us."
    with workspace.writing(TOM) as uow:
        assert service.close(uow, ticket.id).state is CaseState.CLOSED
    with workspace.reading(admin) as uow:
        records = [each for each in audit.listed(uow) if each.action.startswith("support.")]
        assert [(each.action, each.actor) for each in reversed(records)] == [
            ("support.opened", "system:gateway"),
            ("support.claimed", "key:maria"),
            ("support.answered", "key:maria"),
            ("support.closed", "key:tom"),
        ]
        assert "Call us" not in repr(records)


def test_of_two_who_claim_at_once_one_gets_it(workspace: Workspace) -> None:
    ticket = opened(workspace)
    start = threading.Barrier(6)
    outcomes: list[str] = []

    def claim(number: int) -> None:
        start.wait(60)
        try:
            with workspace.writing(Caller(f"key:{number}", Role.OPERATOR)) as uow:
                service.claim(uow, ticket.id)
            outcomes.append("got it")
        except CaseHeld:
            outcomes.append("held")

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["got it", *["held"] * 5]


def test_only_who_claimed_it_answers_and_closes(workspace: Workspace) -> None:
    ticket = opened(workspace)
    with pytest.raises(CaseNotClaimed), workspace.writing(MARIA) as uow:
        service.answer(uow, ticket.id, "too early")
    with workspace.writing(MARIA) as uow:
        service.claim(uow, ticket.id)
    for move in (service.claim, service.close, lambda uow, case: service.answer(uow, case, "mine")):
        with pytest.raises(CaseHeld, match="claimed by key:maria"), workspace.writing(TOM) as uow:
            move(uow, ticket.id)
    with workspace.writing(TOM) as uow:
        assert service.claim(uow, ticket.id, take_over=True).claimed_by == "key:tom"
    with pytest.raises(CaseHeld), workspace.writing(MARIA) as uow:
        service.answer(uow, ticket.id, "no longer mine")


def test_what_is_past_stays_as_it_was(sqlite_workspace: Workspace) -> None:
    ticket = opened(sqlite_workspace)
    with sqlite_workspace.writing(MARIA) as uow:
        service.claim(uow, ticket.id)
        service.answer(uow, ticket.id, "first")
    with pytest.raises(CaseIsPast), sqlite_workspace.writing(MARIA) as uow:
        service.answer(uow, ticket.id, "second")
    with pytest.raises(CaseIsPast), sqlite_workspace.writing(TOM) as uow:
        service.claim(uow, ticket.id, take_over=True)
    with sqlite_workspace.writing(MARIA) as uow:
        service.close(uow, ticket.id)
    with pytest.raises(CaseIsPast), sqlite_workspace.writing(MARIA) as uow:
        service.close(uow, ticket.id)


def test_a_ticket_tells_only_with_its_own_token(workspace: Workspace) -> None:
    ticket, other = opened(workspace), opened(workspace)
    by = Caller("ticket", Role.VIEWER)
    with workspace.reading(by) as uow:
        assert service.of_ticket(uow, ticket.id, ticket.token).state is CaseState.OPEN
        for wrong in ((ticket.id, other.token), ("case_x", ticket.token), (ticket.id, ""), (ticket.id, "\ud800")):
            with pytest.raises(NoSuchTicket):
                service.of_ticket(uow, *wrong)
        assert ticket.token not in repr(service.get(uow, ticket.id))


def test_a_conversation_is_kept_without_personal_data_and_within_bounds(workspace: Workspace) -> None:
    ticket = opened(workspace, "I am a@example.com \0 \ud83d" + "x" * 20_000)
    with workspace.reading(MARIA) as uow:
        (said,) = service.get(uow, ticket.id).conversation
    assert said.text.startswith("I am [EMAIL] \ufffd \ufffdxxx")
    assert len(said.text) == service.MOST_CHARS
    kept = service.keepable([Said("user", "a@example.com")] * 100, Policy(stored="keep"))
    assert kept == [Said("user", "a@example.com")] * service.MOST_MESSAGES


def test_the_queue_is_listed_newest_first_by_state(workspace: Workspace) -> None:
    tickets = [opened(workspace) for _ in range(4)]
    with workspace.writing(MARIA) as uow:
        service.claim(uow, tickets[1].id)
        assert service.waiting(uow) == 4
        assert [each.id for each in service.listed(uow, state=CaseState.OPEN)] == [
            tickets[place].id for place in (3, 2, 0)
        ]
        assert [each.id for each in service.listed(uow, before=tickets[2].id)] == [tickets[1].id, tickets[0].id]
        assert service.listed(uow, endpoint="other") == []


def test_who_may_not_or_names_nothing_is_told(sqlite_workspace: Workspace) -> None:
    ticket = opened(sqlite_workspace)
    with pytest.raises(NotAllowed), sqlite_workspace.writing(Caller("key:v", Role.DEVELOPER)) as uow:
        service.claim(uow, ticket.id)
    with sqlite_workspace.writing(MARIA) as uow:
        with pytest.raises(NotFound):
            service.claim(uow, "case_x")
        service.claim(uow, ticket.id)
        for wrong in ("", " \n", "x" * (service.MAX_ANSWER + 1), "NUL \0"):
            with pytest.raises(InvalidInput):
                service.answer(uow, ticket.id, wrong)


def test_a_full_queue_takes_no_more(sqlite_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_SUPPORT_MOST_OPEN", "2")
    first = opened(sqlite_workspace)
    opened(sqlite_workspace)
    with pytest.raises(QueueFull, match="2 conversations wait"):
        opened(sqlite_workspace)
    with sqlite_workspace.writing(MARIA) as uow:
        service.claim(uow, first.id)
    opened(sqlite_workspace)


def test_closed_cases_are_let_go_of_and_no_others(workspace: Workspace, clock: FakeClock) -> None:
    old, waiting = opened(workspace), opened(workspace)
    with workspace.writing(MARIA) as uow:
        service.close(uow, old.id)
    clock.advance(89 * 86_400)
    young = opened(workspace)
    with workspace.writing(MARIA) as uow:
        service.close(uow, young.id)
        assert service.prune(uow) == 0
    clock.advance(2 * 86_400)
    with workspace.writing(MARIA) as uow:
        assert service.prune(uow) == 1
        assert [each.id for each in service.listed(uow)] == [young.id, waiting.id]
