"""Clocks that somebody sets while a repair is proposed, approved, made, checked and undone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from opsloop.remediation import limits, service
from opsloop.remediation.errors import QuestionLapsed
from opsloop.remediation.models import Level, Reach, Remediation, State
from tests.integration.remediation.conftest import OPERATOR, VIEWER, Trouble, settle

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def set_clock(trouble: Trouble, by: timedelta) -> None:
    trouble.clock.jump_to(trouble.clock.now() + by)


def waiting(trouble: Trouble) -> list[str]:
    with trouble.workspace.reading(VIEWER) as uow:
        return [each.id for each in service.listed(uow, waiting=True)]


def acted(trouble: Trouble) -> Remediation:
    trouble.begin()
    asked = trouble.proposed()
    trouble.approve(asked)
    return trouble.step(asked)


@pytest.mark.parametrize("by", [-HOUR, -DAY, DAY], ids=["back an hour", "back a day", "forward a day"])
def test_a_clock_that_is_set_gives_nobody_more_time_to_say_yes(trouble: Trouble, by: timedelta) -> None:
    trouble.begin()
    asked = trouble.proposed()
    assert waiting(trouble) == [asked.id]
    trouble.clock.advance(840)
    set_clock(trouble, by)
    trouble.clock.advance(60)
    with pytest.raises(QuestionLapsed):
        trouble.approve(asked)
    assert waiting(trouble) == []
    assert trouble.get(asked).stands(trouble.clock.now()) == "lapsed"
    again = service.renew(trouble.workspace, OPERATOR, asked.id)
    assert trouble.approve(again).state is State.APPROVED


def test_a_few_minutes_back_are_no_minutes_more(trouble: Trouble) -> None:
    trouble.begin()
    asked = trouble.proposed()
    trouble.clock.advance(840)
    set_clock(trouble, -timedelta(minutes=10))
    assert waiting(trouble) == [asked.id]
    trouble.clock.advance(61)
    with pytest.raises(QuestionLapsed):
        trouble.approve(asked)


def test_a_yes_does_not_get_younger(trouble: Trouble) -> None:
    trouble.begin()
    asked = trouble.proposed()
    trouble.approve(asked)
    trouble.clock.advance(1_801)
    set_clock(trouble, -HOUR)
    assert trouble.step(asked).state is State.EXPIRED
    assert trouble.serves() == 2


def test_a_clock_that_is_set_forward_cuts_no_check_short(trouble: Trouble) -> None:
    found = acted(trouble)
    set_clock(trouble, DAY)
    assert trouble.step(found).state is State.CHECKING
    trouble.clock.advance(590)
    assert trouble.step(found).state is State.CHECKING
    trouble.clock.advance(11)
    assert trouble.step(found).state is State.NOT_HELPED


def test_a_repair_that_helped_is_seen_to_after_a_clock_was_set_forward(trouble: Trouble) -> None:
    found = acted(trouble)
    set_clock(trouble, DAY)
    trouble.over()
    trouble.ask()
    assert trouble.step(found).state is State.HELPED


def test_what_got_worse_is_undone_after_a_clock_was_set_forward(trouble: Trouble) -> None:
    trouble.failing = frozenset()
    found = acted(trouble)
    set_clock(trouble, DAY)
    trouble.failing = frozenset({"release_1"})
    trouble.ask()
    assert trouble.step(found).state is State.UNDOING
    set_clock(trouble, -2 * DAY)
    assert trouble.step(found).state is State.UNDONE
    assert trouble.serves() == 2


def test_a_clock_that_is_set_back_far_leaves_a_person_to_look(trouble: Trouble) -> None:
    """What is stamped before the repair from then on is of before and after alike, and proves nothing."""
    found = acted(trouble)
    set_clock(trouble, -HOUR)
    trouble.ask()
    assert trouble.step(found).state is State.CHECKING
    trouble.clock.advance(1_190)
    assert trouble.step(found).state is State.CHECKING
    trouble.clock.advance(10)
    found = trouble.step(found)
    assert found.state is State.UNKNOWN
    assert found.outcome.startswith("the clock was set back by 3600 s while it was checked: ")


def test_after_a_small_step_back_the_check_waits_until_stamps_prove_something(trouble: Trouble) -> None:
    found = acted(trouble)
    set_clock(trouble, -timedelta(seconds=300))
    trouble.ask()  # stamped before the repair: it counts for neither side
    checked = trouble.step(found)
    assert (checked.state, checked.findings[-1].sentence) == (State.CHECKING, "nothing was asked since")
    trouble.clock.advance(650)  # more than a check has, and it still waits
    assert trouble.step(found).state is State.CHECKING
    trouble.over()
    trouble.ask()
    assert trouble.step(found).state is State.HELPED


def test_a_machine_that_is_started_anew_begins_the_watch_again(trouble: Trouble) -> None:
    found = acted(trouble)
    trouble.clock.advance(500)
    trouble.clock.reboot()
    set_clock(trouble, DAY)
    assert trouble.step(found).state is State.CHECKING
    trouble.clock.advance(590)
    assert trouble.step(found).state is State.CHECKING
    trouble.clock.advance(11)
    assert trouble.step(found).state is State.NOT_HELPED


def test_a_clock_that_is_set_forward_does_not_cool_a_target(trouble: Trouble, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(trouble.workspace, remediation_levels={"*": 5})
    monkeypatch.setattr("opsloop.remediation.autonomy.earn", lambda *_, **__: (Level.EXECUTION, ()))
    trouble.begin()
    first = trouble.proposed()
    assert first.level is Level.EXECUTION
    assert trouble.step(first).state is State.CHECKING
    set_clock(trouble, DAY)
    with trouble.workspace.reading(VIEWER) as uow:
        said = limits.held_back(uow, "endpoint/chat", Reach(endpoints=1))
    assert said == ("endpoint/chat was repaired within the last 3600 s already",)
    trouble.clock.advance(3_601)
    with trouble.workspace.reading(VIEWER) as uow:
        assert limits.held_back(uow, "endpoint/chat", Reach(endpoints=1)) == ()
