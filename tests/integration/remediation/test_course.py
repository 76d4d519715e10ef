"""A repair on both databases: proposed, approved, done, checked, undone when it made things worse."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import event

from opsloop.core.audit import service as audit
from opsloop.core.caller import NotAllowed
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.jobs.registry import JobContext
from opsloop.incidents import service as incidents
from opsloop.incidents.models import ClosedAs
from opsloop.releases import reversals
from opsloop.releases import service as releases
from opsloop.remediation import execution, halts, jobs, proposing, service
from opsloop.remediation.errors import (
    AnotherShown,
    Halted,
    HaltedAlready,
    NotHalted,
    NothingToUndo,
    NotTheSamePerson,
    NotWaiting,
    OnlyAdvice,
    QuestionLapsed,
)
from opsloop.remediation.models import Level, State
from tests.integration.remediation.conftest import OPERATOR, SECOND, VIEWER, Trouble, settle


def test_a_suspected_release_is_proposed_to_be_left_with_what_speaks_against_it(trouble: Trouble) -> None:
    trouble.begin()
    asked = trouble.proposed()
    assert (asked.state, asked.level, asked.target) == (State.PROPOSED, Level.SCRIPT, "endpoint/chat")
    assert asked.preview is not None
    assert asked.preview.sentence == "release 1 of chat serves everybody again, instead of 2"
    assert "requests of it failed 33 %" in asked.because
    assert asked.against == ("release 1 failed too",)
    assert asked.commands == ("opsloop release history chat", "opsloop release rollback chat")
    assert asked.waits
    assert any("0 verified successes in a row of 20" in each for each in asked.why_level)
    assert trouble.serves() == 2
    assert [each.playbook for each in proposing.propose(trouble.workspace, trouble.incident)] == []


def test_what_a_person_approved_is_done_checked_and_on_the_record(trouble: Trouble) -> None:
    done = trouble.helped()
    assert trouble.serves() == 1
    assert done.acted.startswith("back from release 2 to 1, remediation ")
    assert {each.check: each.verdict for each in done.findings} == {"signals": "better", "requests": "better"}
    said = trouble.timeline()
    assert [each.partition(": ")[2].partition(",")[0] for each in said if "roll" in each.lower()][1:3] == [
        "approved by key:maria",
        "back from release 2 to 1",
    ]
    with trouble.workspace.reading(VIEWER) as uow:
        actions = [each.action for each in audit.listed(uow) if each.target == "endpoint/chat"]
    for action in ("remediation.proposed", "remediation.approved", "remediation.acted", "remediation.ended"):
        assert action in actions


def test_a_repair_that_makes_it_worse_is_undone_by_itself(trouble: Trouble) -> None:
    """The twin: what served before fails as well, and more often."""
    trouble.failing = frozenset()
    trouble.begin()
    asked = trouble.proposed()
    trouble.approve(asked)
    trouble.step(asked)
    assert trouble.serves() == 1
    trouble.failing = frozenset({"release_1"})
    trouble.ask()
    assert trouble.step(asked).state is State.UNDOING
    undone = trouble.step(asked)
    assert undone.state is State.UNDONE
    assert trouble.serves() == 2
    assert "it got worse: requests failed: 33.5% of 200 after it, 0.0% of" in undone.outcome
    assert "from release 1 to 2 again" in undone.outcome
    assert not execution.step(trouble.workspace, asked.id)
    with trouble.workspace.reading(VIEWER) as uow:
        stable = releases.endpoint(uow, "chat").stable
    assert stable is not None
    assert stable.left_for is None


def test_a_repair_that_shows_nothing_in_time_has_not_helped(trouble: Trouble) -> None:
    trouble.begin()
    asked = trouble.proposed()
    trouble.approve(asked)
    trouble.step(asked)
    assert trouble.step(asked).state is State.CHECKING
    trouble.clock.advance(601)
    found = trouble.step(asked)
    assert found.state is State.NOT_HELPED
    assert "1 of 1 signals go on" in found.outcome
    assert trouble.serves() == 1  # what did not get worse stays


def test_nothing_acts_on_what_changed_after_it_was_shown(trouble: Trouble) -> None:
    trouble.begin()
    asked = trouble.proposed()
    trouble.approve(asked)
    with trouble.workspace.writing(OPERATOR) as uow:
        releases.roll_back(uow, "chat")
    found = trouble.step(asked)
    assert found.state in (State.VOID, State.FAILED)
    assert trouble.serves() == 1


def test_a_yes_is_to_what_was_shown_by_somebody_who_may_in_time_and_once(trouble: Trouble) -> None:
    trouble.begin()
    asked = trouble.proposed()
    with pytest.raises(AnotherShown), trouble.workspace.writing(OPERATOR) as uow:
        service.approve(uow, asked.id, digest="0" * 64)
    with pytest.raises(AnotherShown), trouble.workspace.writing(OPERATOR) as uow:
        service.approve(uow, asked.id, digest=asked.digest[:8])
    with pytest.raises(NotAllowed), trouble.workspace.writing(VIEWER) as uow:
        service.approve(uow, asked.id, digest=asked.digest)
    with pytest.raises(NotFound), trouble.workspace.writing(OPERATOR) as uow:
        service.approve(uow, "remediation_\0", digest=asked.digest)
    trouble.clock.advance(901)
    with pytest.raises(QuestionLapsed):
        trouble.approve(asked)
    again = service.renew(trouble.workspace, OPERATOR, asked.id)
    trouble.approve(again)
    with pytest.raises(NotWaiting):
        trouble.approve(again)


def test_an_approval_that_is_too_old_does_nothing(trouble: Trouble) -> None:
    trouble.begin()
    asked = trouble.proposed()
    trouble.approve(asked)
    trouble.clock.advance(1_900)
    assert trouble.step(asked).state is State.EXPIRED
    assert trouble.serves() == 2


def test_advice_cannot_be_approved(trouble: Trouble) -> None:
    trouble.begin()
    asked = trouble.proposed("ask-around")
    assert (asked.level, asked.commands, asked.script) == (Level.CHECKLIST, (), "")
    assert any("The first suspects are endpoint/chat, release 2." in each for each in asked.questions)
    with pytest.raises(OnlyAdvice):
        trouble.approve(asked)


@pytest.mark.parametrize(
    ("level", "shows"),
    [(1, (True, False, False, False)), (2, (True, True, False, False)), (3, (True, True, True, False))],
)
def test_policy_says_how_much_is_shown(trouble: Trouble, level: int, shows: tuple[bool, ...]) -> None:
    settle(trouble.workspace, remediation_levels={"roll-*": level, "*": 5})
    trouble.begin()
    asked = trouble.proposed()
    assert tuple(map(bool, (asked.questions, asked.checklist, asked.commands, asked.script))) == shows
    assert asked.waits == (level >= 3)


def test_four_eyes_are_two_people(trouble: Trouble) -> None:
    settle(trouble.workspace, remediation_four_eyes=["roll-back-*"])
    trouble.begin()
    asked = trouble.proposed()
    assert trouble.approve(asked).state is State.PROPOSED
    with pytest.raises(NotTheSamePerson):
        trouble.approve(asked)
    assert trouble.approve(asked, SECOND).state is State.APPROVED
    assert trouble.step(asked).state is State.CHECKING


def test_a_no_is_final_and_says_why(trouble: Trouble) -> None:
    trouble.begin()
    asked = trouble.proposed()
    with pytest.raises(InvalidInput), trouble.workspace.writing(OPERATOR) as uow:
        service.reject(uow, asked.id, reason=" ")
    with trouble.workspace.writing(OPERATOR) as uow:
        service.reject(uow, asked.id, reason="a test of ours")
    with pytest.raises(NotWaiting):
        trouble.approve(asked)
    assert trouble.get(asked).outcome == "rejected by key:maria: a test of ours"


def test_while_repairs_are_halted_nothing_acts_whoever_said_yes(trouble: Trouble) -> None:
    trouble.begin()
    asked = trouble.proposed()
    trouble.approve(asked)
    with trouble.workspace.writing(SECOND) as uow:
        halts.begin(uow, reason="a migration goes on")
    with pytest.raises(HaltedAlready), trouble.workspace.writing(SECOND) as uow:
        halts.begin(uow, reason="twice")
    assert trouble.step(asked).state is State.VOID
    assert trouble.serves() == 2
    again = service.renew(trouble.workspace, OPERATOR, asked.id)
    with pytest.raises(Halted):
        trouble.approve(again)
    with trouble.workspace.writing(SECOND) as uow:
        halts.end(uow)
    with pytest.raises(NotHalted), trouble.workspace.writing(SECOND) as uow:
        halts.end(uow)
    assert trouble.approve(again).state is State.APPROVED


def test_a_person_undoes_a_repair(trouble: Trouble) -> None:
    done = trouble.helped()
    with trouble.workspace.writing(SECOND) as uow:
        service.undo(uow, done.id, reason="it hit other users")
    assert trouble.step(done).state is State.UNDONE
    assert trouble.serves() == 2
    with pytest.raises(NothingToUndo), trouble.workspace.writing(SECOND) as uow:
        service.undo(uow, done.id, reason="again")


def test_an_undo_of_what_moved_on_changes_nothing_and_says_so(trouble: Trouble) -> None:
    done = trouble.helped()
    trouble.release()
    assert trouble.serves() == 3
    with trouble.workspace.writing(SECOND) as uow:
        service.undo(uow, done.id, reason="it hit other users")
    found = trouble.step(done)
    assert found.state is State.UNKNOWN
    assert "does not serve release 1 any more but 3" in found.outcome
    assert trouble.serves() == 3


def test_what_is_proposed_is_let_go_when_the_incident_is_over(trouble: Trouble) -> None:
    trouble.begin()
    asked = trouble.proposed()
    with trouble.workspace.writing(OPERATOR) as uow:
        incidents.close(uow, trouble.incident, closed_as=ClosedAs.FALSE_ALARM)
        service.void(uow, trouble.incident, "its incident was closed as false alarm")
    assert trouble.get(asked).state is State.VOID


def test_two_repairs_never_work_on_one_target(trouble: Trouble) -> None:
    trouble.begin()
    first = trouble.proposed()
    second = service.rehearse(trouble.workspace, SECOND, "roll-back-release", {"endpoint": "chat", "release": 2})
    trouble.approve(first)
    assert trouble.step(first).state is State.CHECKING
    assert trouble.step(second).state is State.APPROVED  # it waits for its turn
    trouble.over()
    trouble.ask()
    assert trouble.step(first).state is State.HELPED
    found = trouble.step(second)
    assert (found.state, trouble.serves()) == (State.FAILED, 1)
    assert "does not serve release 2 any more but 1" in found.outcome


def test_a_step_that_breaks_ends_it_for_a_person_to_look(trouble: Trouble, monkeypatch: pytest.MonkeyPatch) -> None:
    trouble.begin()
    asked = trouble.proposed()
    trouble.approve(asked)
    trouble.step(asked)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a check of a team")

    monkeypatch.setattr("opsloop.remediation.checks.registry.look", broken)
    progress: list[object] = []
    context = JobContext(
        trouble.workspace, "job", stopping=threading.Event(), progress=lambda *said: progress.append(said)
    )
    jobs.run(context, {"remediation": asked.id})
    found = trouble.get(asked)
    assert found.state is State.UNKNOWN
    assert found.outcome == "it broke, look at the target: ZeroDivisionError: a check of a team"


def test_earned_autonomy_acts_at_once_and_a_failure_takes_it_away(trouble: Trouble) -> None:
    settle(
        trouble.workspace,
        remediation_environment="staging",
        remediation_levels={"*": 5},
        remediation_successes=3,
        remediation_lower_bound=0.4,
    )
    for _ in range(3):
        assert trouble.helped().level is Level.SCRIPT
        trouble.clock.advance(7_200)
        _second_again(trouble)
    trouble.begin()
    held = trouble.proposed()
    assert held.level is Level.SCRIPT
    assert held.why_level == ("its undo was never seen to work here: rehearse it",)
    rehearsal = service.rehearse(trouble.workspace, OPERATOR, "roll-back-release", {"endpoint": "chat", "release": 2})
    trouble.step(rehearsal)
    assert trouble.serves() == 1
    assert trouble.step(rehearsal).state is State.REHEARSED
    assert trouble.serves() == 2
    with trouble.workspace.writing(OPERATOR) as uow:
        service.reject(uow, held.id, reason="the rehearsal showed that it works")
    trouble.clock.advance(7_200)
    trouble.over()
    trouble.begin()
    acted = trouble.proposed()
    assert (acted.level, acted.state, acted.needed) == (Level.EXECUTION, State.APPROVED, 0)
    assert acted.why_level[0].startswith("earned: 3 verified successes in a row")
    trouble.step(acted)
    assert trouble.serves() == 1
    trouble.failing = frozenset({"release_1"})
    trouble.clock.advance(1)
    for _ in range(3):
        trouble.world.ask(range(200), lambda _arm, _subject: {"status": "error", "http_status": 502})
    trouble.clock.advance(1)
    trouble.step(acted)
    assert trouble.step(acted).state is State.UNDONE
    trouble.clock.advance(timedelta(hours=3).total_seconds())
    trouble.over()
    trouble.failing = frozenset({"release_2"})
    trouble.begin()
    assert trouble.proposed().level is Level.COMMANDS


def _second_again(trouble: Trouble) -> None:
    """Release 2 serves everybody again, for the next turn."""
    with trouble.workspace.writing(OPERATOR) as uow:
        reversals.reinstate(uow, "chat", number=2, why="the next turn of a test")


def test_a_list_asks_the_database_as_often_for_many_as_for_one(trouble: Trouble) -> None:
    settle(trouble.workspace, remediation_four_eyes=["*"])
    trouble.begin()
    first = trouble.proposed()
    trouble.approve(first)
    said: list[str] = []

    def heard(*given: object) -> None:
        said.extend([str(given[2])] if str(given[2]).startswith("SELECT") else [])

    def listed() -> int:
        said.clear()
        with trouble.workspace.reading(VIEWER) as uow:
            event.listen(trouble.workspace.database.engine, "before_cursor_execute", heard)
            found = service.listed(uow)
            event.remove(trouble.workspace.database.engine, "before_cursor_execute", heard)
        by = {each.id: [vote.by for vote in each.votes] for each in found}
        assert by[first.id] == ["key:maria"]
        assert all(votes == [] for id, votes in by.items() if id != first.id)
        return len(found)

    few, asked = listed(), len(said)
    for _ in range(3):
        trouble.clock.advance(7_200)
        trouble.over()
        trouble.begin()
        trouble.proposed()
    assert listed() >= few + 3
    assert len(said) == asked == 2, said
