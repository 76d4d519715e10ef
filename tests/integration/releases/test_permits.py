"""What holds a rollout: a person's yes, a freeze, a closed window; and what nothing holds, the way back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from opsloop.core.audit import service as audit
from opsloop.core.caller import Caller, NotAllowed, Role
from opsloop.core.errors import Conflict, Denied, InvalidInput
from opsloop.releases import approvals, freezes, rollouts
from opsloop.releases.models import Approval, ApprovalState, RolloutStatus
from opsloop.releases.moves import MoveKind
from tests.integration.releases.conftest import CANARY, OPERATOR, World, candidate_fails

MARIA = Caller("test:maria", Role.OPERATOR)
ADMIN = Caller("test:admin", Role.ADMIN)
MANY = range(400)


def asked(world: World, rollout: str) -> Approval:
    found = world.history(rollout).waits_for
    assert found is not None
    return found


def approve(world: World, rollout: str, by: Caller = MARIA) -> None:
    with world.workspace.writing(by) as uow:
        approvals.approve(uow, rollout, digest=asked(world, rollout).digest)


def pass_step(world: World, driver: Any) -> Any:
    world.ask(MANY)
    return world.tick(driver, after_s=31)


def test_a_step_of_approval_waits_for_a_person_and_goes_on_with_a_yes(world: World) -> None:
    steps = [CANARY["steps"][0], {"approve": True}, CANARY["steps"][1]]
    rollout = world.open_rollout({"canary": {**CANARY, "steps": steps}})
    driver = world.driver(rollout)
    world.tick(driver)
    assert pass_step(world, driver).kind is MoveKind.ASK
    question = asked(world, rollout)
    assert question.action == "give release 2 of chat 50 % of users"
    assert question.shown["evidence"]["candidate"]["users"] > 20
    assert world.tick(driver, after_s=5).sentence.startswith("waits for approval until")
    assert world.rollout(rollout).share == 0.2
    with world.workspace.reading(OPERATOR) as uow:
        assert [each.id for each in approvals.waiting(uow)] == [question.id]
    approve(world, rollout)
    assert world.tick(world.driver(rollout)).kind is MoveKind.STEP  # also after a restart
    assert world.rollout(rollout).share == 0.5
    with world.workspace.reading(ADMIN) as uow:
        noted = {record.action: record.detail for record in audit.listed(uow, target="endpoint/chat", limit=20)}
    assert noted["rollout.approved"]["approval"] == question.digest == noted["rollout.awaiting_approval"]["approval"]


def test_a_yes_is_for_what_was_shown(sqlite_world: World) -> None:
    rollout = sqlite_world.open_rollout({"canary": {**CANARY, "approval": "before"}})
    sqlite_world.tick(sqlite_world.driver(rollout))
    with sqlite_world.workspace.writing(MARIA) as uow, pytest.raises(Conflict, match="asks for something else"):
        approvals.approve(uow, rollout, digest="0" * 64)


def test_a_no_takes_the_candidate_back_and_needs_a_reason(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout({"canary": {**CANARY, "approval": "each"}})
    world.tick(world.driver(rollout))
    digest = asked(world, rollout).digest
    with world.workspace.writing(MARIA) as uow, pytest.raises(InvalidInput):
        approvals.reject(uow, rollout, digest=digest, reason=" ")
    with world.workspace.writing(MARIA) as uow:
        approvals.reject(uow, rollout, digest=digest, reason="too long")
    ended = world.rollout(rollout)
    assert (ended.status, ended.share) == (RolloutStatus.ROLLED_BACK, 0.0)
    assert "rejected by test:maria: too long" in ended.reason


def test_with_four_eyes_nobody_approves_a_release_of_their_own(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout({"blue-green": {"approval": {"when": "before", "four_eyes": True}}})
    driver = world.driver(rollout)
    assert world.tick(driver).kind is MoveKind.ASK
    with pytest.raises(Denied, match="another person"):
        approve(world, rollout, by=OPERATOR)
    with pytest.raises(NotAllowed):
        approve(world, rollout, by=Caller("test:dev", Role.DEVELOPER))
    approve(world, rollout, by=MARIA)
    assert world.tick(driver).kind is MoveKind.PROMOTE
    assert world.rollout(rollout).status is RolloutStatus.PROMOTED


def test_a_question_that_nobody_answers_pauses_the_rollout_and_is_asked_again(sqlite_world: World) -> None:
    world = sqlite_world
    approval = {"when": "before", "expires_s": 600}
    rollout = world.open_rollout({"canary": {**CANARY, "approval": approval}})
    driver = world.driver(rollout)
    world.tick(driver)
    first = asked(world, rollout)
    assert world.tick(driver, after_s=601).kind is MoveKind.EXPIRE
    assert world.rollout(rollout).status is RolloutStatus.PAUSED
    with world.workspace.writing(MARIA) as uow, pytest.raises(Conflict, match="expired at"):
        approvals.approve(uow, rollout, digest=first.digest)
    assert world.tick(driver).kind is MoveKind.WAIT
    with world.workspace.writing(MARIA) as uow:
        rollouts.resume(uow, rollout)
    assert world.tick(driver).kind is MoveKind.ASK
    approve(world, rollout)
    assert world.tick(driver).kind is MoveKind.START


def test_harm_is_answered_while_a_person_is_asked_and_the_question_is_void(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout({"canary": {**CANARY, "steps": [*CANARY["steps"][:1], {"approve": True}]}})
    driver = world.driver(rollout)
    world.tick(driver)
    assert pass_step(world, driver).kind is MoveKind.ASK
    world.ask(range(400, 900), candidate_fails)
    assert world.tick(driver).kind is MoveKind.ROLL_BACK
    assert [each.state for each in world.history(rollout).approvals] == [ApprovalState.VOID]


def test_nobody_promotes_past_a_question(sqlite_world: World) -> None:
    rollout = sqlite_world.open_rollout({"canary": {**CANARY, "approval": "each"}})
    with sqlite_world.workspace.writing(MARIA) as uow, pytest.raises(Conflict, match="asks for approval"):
        rollouts.promote(uow, rollout)


def test_a_rollout_waits_in_a_freeze_says_so_and_goes_on_after_the_thaw(world: World) -> None:
    rollout = world.open_rollout()
    driver = world.driver(rollout)
    with world.workspace.writing(MARIA) as uow:
        freezes.begin(uow, None, reason="holiday sales")
    move = world.tick(driver, after_s=6)
    assert move.kind is MoveKind.WAIT
    assert "every endpoint is frozen by test:maria: holiday sales" in world.rollout(rollout).reason
    assert world.route().candidate_share == 0.0
    with world.workspace.writing(MARIA) as uow:
        freezes.thaw(uow, None)
    assert world.tick(driver).kind is MoveKind.START


def test_a_freeze_never_holds_a_rollback(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout()
    driver = world.driver(rollout)
    world.tick(driver)
    with world.workspace.writing(MARIA) as uow:
        freezes.begin(uow, "chat", reason="audit week")
    assert pass_step(world, driver).kind is MoveKind.WAIT
    world.ask(range(400, 900), candidate_fails)
    assert world.tick(driver).kind is MoveKind.ROLL_BACK


def test_a_release_that_would_take_over_at_once_waits_for_the_end_of_a_freeze(sqlite_world: World) -> None:
    world = sqlite_world
    until = datetime(2027, 1, 1, 1, tzinfo=UTC)
    with world.workspace.writing(MARIA) as uow:
        freezes.begin(uow, "chat", reason="audit", until=until)
    rollout = world.open_rollout("blue-green")
    assert world.rollout(rollout).status is RolloutStatus.WAITING
    driver = world.driver(rollout)
    assert world.tick(driver).kind is MoveKind.WAIT
    world.clock.jump_to(until)
    assert world.tick(driver).kind is MoveKind.PROMOTE
    with world.workspace.reading(MARIA) as uow:
        assert freezes.active(uow) == []


def test_only_an_admin_overrides_a_freeze_and_only_with_a_reason(sqlite_world: World) -> None:
    world = sqlite_world
    with world.workspace.writing(MARIA) as uow:
        freezes.begin(uow, None, reason="holiday")
    rollout = world.open_rollout()
    with world.workspace.writing(MARIA) as uow, pytest.raises(Conflict, match="opsloop release override chat"):
        rollouts.promote(uow, rollout)
    with world.workspace.writing(MARIA) as uow, pytest.raises(NotAllowed):
        rollouts.override(uow, rollout, reason="outage")
    with world.workspace.writing(ADMIN) as uow, pytest.raises(InvalidInput):
        rollouts.override(uow, rollout, reason="")
    with world.workspace.writing(ADMIN) as uow:
        rollouts.override(uow, rollout, reason="outage")
    assert world.tick(world.driver(rollout)).kind is MoveKind.START


def test_a_rollout_steps_only_inside_its_windows(sqlite_world: World) -> None:
    world = sqlite_world  # its clock begins at midnight of a Friday
    window = {"days": "mon-fri", "from": "09:00", "to": "17:00", "timezone": "Europe/Berlin"}
    rollout = world.open_rollout({"canary": {**CANARY, "windows": [window]}})
    driver = world.driver(rollout)
    move = world.tick(driver)
    assert move.kind is MoveKind.WAIT
    assert "outside its windows (mon, tue, wed, thu, fri 09:00 to 17:00 (Europe/Berlin))" in move.sentence
    assert "the next one opens at 2027-01-01 08:00Z" in move.sentence
    world.clock.jump_to(datetime(2027, 1, 1, 8, tzinfo=UTC))
    assert world.tick(driver).kind is MoveKind.START
    world.clock.jump_to(datetime(2027, 1, 1, 17, tzinfo=UTC))
    assert pass_step(world, driver).kind is MoveKind.WAIT


@pytest.mark.parametrize("endpoint", ["chat", None])
def test_one_freeze_at_a_time(sqlite_world: World, endpoint: str | None) -> None:
    with sqlite_world.workspace.writing(MARIA) as uow:
        freezes.begin(uow, endpoint, reason="first")
    with (
        sqlite_world.workspace.writing(MARIA) as uow,
        pytest.raises(Conflict, match="frozen already, by test:maria: f"),
    ):
        freezes.begin(uow, endpoint, reason="second")
    with sqlite_world.workspace.writing(MARIA) as uow:
        freezes.thaw(uow, endpoint)
    with sqlite_world.workspace.writing(MARIA) as uow, pytest.raises(Conflict, match="is not frozen"):
        freezes.thaw(uow, endpoint)


def test_a_freeze_that_is_over_before_it_begins_is_refused(sqlite_world: World) -> None:
    with sqlite_world.workspace.writing(MARIA) as uow, pytest.raises(InvalidInput, match="still to come"):
        freezes.begin(uow, None, reason="late", until=datetime(2026, 1, 1, tzinfo=UTC))
