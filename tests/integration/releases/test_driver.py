"""The driver of a rollout: steps up on evidence, takes back on evidence, waits otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from opsloop.releases import rollouts, routing
from opsloop.releases.models import RolloutStatus
from opsloop.releases.moves import MoveKind
from tests.integration.releases.conftest import CANARY, OPERATOR, World, answered, candidate_fails

MANY = range(400)


def test_a_candidate_gets_no_traffic_before_its_driver_watches(world: World) -> None:
    rollout = world.open_rollout()
    assert world.route().candidate_share == 0.0
    assert world.route().candidate is not None  # gateways can prepare it
    assert world.tick(world.driver(rollout)).kind is MoveKind.START
    assert world.route().candidate_share == 0.2
    assert world.rollout(rollout).status is RolloutStatus.RUNNING


def test_a_failing_candidate_is_rolled_back_with_its_evidence(world: World) -> None:
    rollout = world.open_rollout()
    driver = world.driver(rollout)
    world.tick(driver)
    before = world.table().version
    world.ask(MANY, candidate_fails)
    move = world.tick(driver)
    assert move.kind is MoveKind.ROLL_BACK
    assert "candidate fails" in move.sentence
    assert (world.route().candidate, world.route().candidate_share) == (None, 0.0)
    assert world.table().version > before
    now = world.rollout(rollout)
    assert (now.status, now.share, now.reason) == (RolloutStatus.ROLLED_BACK, 0.0, move.sentence)


def test_the_evidence_counts_who_saw_the_candidate_and_who_saw_an_error(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout()
    driver = world.driver(rollout)
    world.tick(driver)
    seeing = [number for number in MANY if world.arm_of(f"user-{number}") == "candidate"]

    def every_third_unshielded(arm: routing.Arm, subject: str) -> dict[str, Any]:
        is_shielded = seeing.index(int(subject.removeprefix("user-"))) % 3 > 0 if arm.name == "candidate" else False
        return {**candidate_fails(arm, subject), "shielded": is_shielded}

    world.ask(MANY, every_third_unshielded)
    world.run_to_end(driver)
    unshielded = len([number for number in range(len(seeing)) if number % 3 == 0])
    evidence = world.rollout(rollout).evidence
    assert evidence["candidate"] == {
        "requests": len(seeing),
        "users": len(seeing),
        "failed": len(seeing),
        "shielded": len(seeing) - unshielded,
        "callers_saw_error": unshielded,
    }
    assert evidence["stable"]["failed"] == 0
    assert evidence["analysis"]["finding"] == "worse"
    assert evidence["final"] is True


def test_requests_under_way_at_the_rollback_are_counted_too(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout()
    driver = world.driver(rollout)
    world.tick(driver)
    route = world.route()
    world.ask(MANY, candidate_fails)
    assert world.tick(driver, after_s=0.0).kind is MoveKind.ROLL_BACK
    counted = world.rollout(rollout).evidence["candidate"]["requests"]
    world.clock.advance(0.75)
    late = next(f"user-{number}" for number in MANY if routing.choose(route, f"user-{number}").name == "candidate")
    with world.workspace.writing(OPERATOR) as uow:
        from opsloop.monitoring import records

        records.ingest(uow, [world._record(route, late, answered)])
    world.run_to_end(driver)
    evidence = world.rollout(rollout).evidence
    assert evidence["candidate"]["requests"] == counted + 1
    assert evidence["bad_for_s"] == pytest.approx(0.65)


def test_a_good_candidate_steps_up_and_becomes_stable(world: World) -> None:
    rollout = world.open_rollout()
    driver = world.driver(rollout)
    world.tick(driver)
    world.ask(MANY)
    assert world.tick(driver, after_s=31).kind is MoveKind.STEP
    assert world.route().candidate_share == 0.5
    world.ask(MANY)
    assert world.tick(driver, after_s=31).kind is MoveKind.PROMOTE
    route = world.route()
    assert (route.stable and route.stable.number, route.candidate) == (2, None)
    assert [event.kind for event in world.history(rollout).events] == ["started", "stepped", "promoted"]


def test_every_step_waits_its_own_time(sqlite_world: World) -> None:
    world = sqlite_world
    driver = world.driver(world.open_rollout())
    world.tick(driver)
    world.ask(MANY)
    assert world.tick(driver, after_s=31).kind is MoveKind.STEP
    world.ask(MANY)
    assert world.tick(driver, after_s=29).kind is MoveKind.WAIT
    assert world.tick(driver, after_s=2).kind is MoveKind.PROMOTE


def test_silence_never_promotes(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout()
    driver = world.driver(rollout)
    world.tick(driver)
    world.ask(range(20))
    for _ in range(50):
        move = world.tick(driver, after_s=3_600)
    assert move.kind is MoveKind.WAIT
    assert "not enough evidence" in move.sentence
    assert world.rollout(rollout).reason == move.sentence
    assert world.route().candidate_share == 0.2


def test_one_user_who_asks_often_is_not_evidence(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout()
    driver = world.driver(rollout)
    world.tick(driver)
    lonely = next(number for number in MANY if world.arm_of(f"user-{number}") == "candidate")
    for _ in range(100):
        world.ask(range(lonely, lonely + 1), candidate_fails)
    assert world.tick(driver, after_s=60).kind is MoveKind.WAIT


def test_an_outage_of_both_arms_does_not_stop_the_candidate(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout()
    driver = world.driver(rollout)
    world.tick(driver)
    world.ask(MANY, lambda _arm, _subject: {"status": "error", "http_status": 502})
    assert world.tick(driver).kind is MoveKind.WAIT
    assert world.tick(driver, after_s=60).kind is MoveKind.WAIT  # and it does not step up in one either


def test_requests_that_were_wrong_in_themselves_speak_against_nobody(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout()
    driver = world.driver(rollout)
    world.tick(driver)
    world.ask(MANY, lambda arm, _: {"status": "error", "http_status": 422} if arm.name == "candidate" else {})
    assert world.tick(driver, after_s=2).kind is MoveKind.WAIT
    assert world.rollout(rollout).evidence["candidate"]["requests"] > 50
    assert world.rollout(rollout).evidence["candidate"]["failed"] == 0


def test_a_slower_candidate_is_rolled_back(sqlite_world: World) -> None:
    world = sqlite_world
    driver = world.driver(world.open_rollout())
    world.tick(driver)
    world.ask(MANY, lambda arm, _: {"duration_ms": 1_500.0} if arm.name == "candidate" else {})
    move = world.tick(driver)
    assert (move.kind, "candidate is slow" in move.sentence) == (MoveKind.ROLL_BACK, True)


def test_a_candidate_whose_users_give_up_waiting_is_rolled_back(sqlite_world: World) -> None:
    world = sqlite_world
    driver = world.driver(world.open_rollout())
    world.tick(driver)
    world.ask(MANY, lambda arm, _: {"duration_ms": 9_000.0, "status": "cancelled"} if arm.name == "candidate" else {})
    assert world.tick(driver).kind is MoveKind.ROLL_BACK


def candidates_requests(world: World) -> list[str]:
    asked = world.ask(MANY)
    return [request_id for number, request_id in zip(MANY, asked, strict=True)
            if world.arm_of(f"user-{number}") == "candidate"]  # fmt: skip


def test_a_candidate_whose_users_are_dissatisfied_is_rolled_back(world: World) -> None:
    driver = world.driver(world.open_rollout())
    world.tick(driver)
    world.dislike(candidates_requests(world))
    move = world.tick(driver)
    assert (move.kind, "displeases" in move.sentence) == (MoveKind.ROLL_BACK, True)


def test_feedback_that_comes_before_its_record_counts_when_the_record_comes(sqlite_world: World) -> None:
    world = sqlite_world
    driver = world.driver(world.open_rollout())
    world.tick(driver)
    subjects = [number for number in MANY if world.arm_of(f"user-{number}") == "candidate"]
    first = next(world.numbers) + 1
    world.dislike([f"request-{first + offset}" for offset in range(len(subjects))])
    assert world.tick(driver).kind is MoveKind.WAIT
    for number in subjects:
        world.ask(range(number, number + 1))
    assert world.tick(driver).kind is MoveKind.ROLL_BACK


def test_feedback_on_stables_answer_for_a_shielded_failure_does_not_count(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout({"canary": {**CANARY, "analysis": {"kinds": ["dissatisfied"]}}})
    driver = world.driver(rollout)
    world.tick(driver)
    world.dislike(world.ask(MANY, candidate_fails))
    assert world.tick(driver, after_s=2).kind is MoveKind.WAIT
    kinds = world.rollout(rollout).evidence["analysis"]["kinds"]
    assert kinds["dissatisfied"]["candidate"]["adverse"] == 0
    assert kinds["dissatisfied"]["stable"]["adverse"] > 300


def test_a_driver_that_was_killed_is_followed_by_one_that_knows_the_same(world: World) -> None:
    rollout = world.open_rollout()
    first = world.driver(rollout)
    world.tick(first)
    world.ask(range(400), lambda arm, subject: candidate_fails(arm, subject) if subject.endswith("33") else {})
    world.tick(first)
    world.tick(first, after_s=20)
    second = world.driver(rollout)
    world.tick(second)
    assert second.watch.figures() == first.watch.figures()
    assert world.tick(second, after_s=9).kind is MoveKind.WAIT  # 29.25 s were watched in all
    assert world.tick(second, after_s=2).kind is MoveKind.STEP


def test_a_driver_that_was_killed_after_the_rollback_leaves_it_as_it_is(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout()
    driver = world.driver(rollout)
    world.tick(driver)
    world.ask(MANY, candidate_fails)
    world.tick(driver)
    ended = world.history(rollout)
    world.run_to_end(world.driver(rollout))
    assert world.history(rollout).events == ended.events
    assert world.rollout(rollout).finished_at == ended.rollout.finished_at


def test_a_paused_rollout_keeps_its_share_and_its_time(world: World) -> None:
    rollout = world.open_rollout()
    driver = world.driver(rollout)
    world.tick(driver)
    world.ask(MANY)
    with world.workspace.writing(OPERATOR) as uow:
        rollouts.pause(uow, rollout)
    move = world.tick(driver, after_s=3_600)
    assert (move.kind, "paused" in move.sentence) == (MoveKind.WAIT, True)
    assert world.route().candidate_share == 0.2
    with world.workspace.writing(OPERATOR) as uow:
        rollouts.resume(uow, rollout)
    assert world.tick(driver, after_s=10).kind is MoveKind.WAIT
    assert world.tick(driver, after_s=21).kind is MoveKind.STEP


def test_a_paused_rollout_is_still_rolled_back_on_evidence(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout()
    driver = world.driver(rollout)
    world.tick(driver)
    with world.workspace.writing(OPERATOR) as uow:
        rollouts.pause(uow, rollout)
    world.ask(MANY, candidate_fails)
    assert world.tick(driver).kind is MoveKind.ROLL_BACK


@pytest.mark.parametrize("year", [2001, 2091])
def test_a_wall_clock_that_jumps_moves_no_step(sqlite_world: World, year: int) -> None:
    world = sqlite_world
    driver = world.driver(world.open_rollout())
    world.tick(driver)
    world.ask(MANY)
    world.clock.jump_to(datetime(year, 5, 17, tzinfo=UTC))
    assert world.tick(driver, after_s=20).kind is MoveKind.WAIT
    world.ask(range(400, 500))
    assert world.tick(driver, after_s=11).kind is MoveKind.STEP


def test_a_watch_that_only_waits_does_not_write_at_every_tick(sqlite_world: World) -> None:
    world = sqlite_world
    driver = world.driver(world.open_rollout())
    for _ in range(40):  # ten seconds
        world.tick(driver)
    assert driver.stored <= 4
