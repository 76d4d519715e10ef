"""Scores of live answers, by whoever gives them, on both arms of a canary."""

from __future__ import annotations

from typing import Any

from opsloop.monitoring.objectives import scores
from opsloop.monitoring.objectives.scores import Score
from opsloop.releases import routing
from opsloop.releases.models import RolloutStatus
from opsloop.releases.moves import MoveKind
from tests.integration.releases.conftest import OPERATOR, World, candidate_fails

HALF: dict[str, Any] = {
    "steps": [{"share": 0.5, "min_duration_s": 30, "min_subjects": 20}],
    "analysis": {"kinds": ["error", "quality"], "alpha": 0.01, "tolerance": 0.1},
}


def asked(world: World, users: range, outcome: Any = None) -> dict[str, str]:
    """The arm that each request was routed to, by its id."""
    arms: dict[str, str] = {}

    def note(arm: routing.Arm, subject: str) -> dict[str, Any]:
        found = {} if outcome is None else outcome(arm, subject)
        arms[f"request-{len(arms) + first}"] = arm.name
        return dict(found)

    first = next(world.numbers) + 1
    made = world.ask(users, note)
    assert made == list(arms)
    return arms


def score(world: World, arms: dict[str, str], *, candidate: float, stable: float, **facts: Any) -> None:
    given = [Score(each, candidate if arm == "candidate" else stable, **facts) for each, arm in arms.items()]
    with world.workspace.writing(OPERATOR) as uow:
        for at in range(0, len(given), scores.MOST):
            scores.take(uow, "chat", given[at : at + scores.MOST])


def test_a_canary_whose_answers_only_score_lower_is_taken_back_by_the_evaluator_s_name(world: World) -> None:
    rollout = world.open_rollout({"canary": HALF})
    driver = world.driver(rollout)
    world.tick(driver)
    arms = asked(world, range(300))
    assert world.tick(driver).kind is MoveKind.WAIT
    score(world, arms, candidate=0.55, stable=0.8, evaluator="helpful")
    move = world.tick(driver)
    assert move.kind is MoveKind.ROLL_BACK
    assert "quality by helpful is 0.55 on the candidate and 0.80 on stable" in move.sentence
    found = world.rollout(rollout)
    assert (found.status, found.reason) == (RolloutStatus.ROLLED_BACK, move.sentence)
    assert found.evidence["candidate"]["failed"] == 0
    assert found.evidence["analysis"]["kind"] == "quality by helpful"


def test_a_canary_that_leaks_is_taken_back(sqlite_world: World) -> None:
    world = sqlite_world
    driver = world.driver(world.open_rollout({"canary": HALF}))
    world.tick(driver)
    score(world, asked(world, range(300)), candidate=0.6, stable=1.0, measure="privacy", evaluator="leaks")
    move = world.tick(driver)
    assert (move.kind, "privacy by leaks" in move.sentence) == (MoveKind.ROLL_BACK, True)


def test_answers_that_score_as_well_or_better_go_on(world: World) -> None:
    driver = world.driver(world.open_rollout({"canary": HALF}))
    world.tick(driver)
    arms = asked(world, range(300))
    score(world, arms, candidate=0.7, stable=0.7, evaluator="helpful")
    score(world, arms, candidate=0.9, stable=0.5, evaluator="polite")
    assert world.tick(driver, after_s=1).kind is MoveKind.WAIT
    assert world.tick(driver, after_s=31).kind is MoveKind.PROMOTE


def test_one_user_s_many_scores_are_one(sqlite_world: World) -> None:
    world = sqlite_world
    driver = world.driver(world.open_rollout({"canary": HALF}))
    world.tick(driver)
    of = {arm: next(n for n in range(300) if world.arm_of(f"user-{n}") == arm) for arm in ("candidate", "stable")}
    for _ in range(100):
        for user in of.values():
            score(world, asked(world, range(user, user + 1)), candidate=0.0, stable=1.0)
    assert world.tick(driver, after_s=31).kind is MoveKind.WAIT


def test_what_stable_answered_in_the_candidate_s_place_speaks_for_neither(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout({"canary": {**HALF, "analysis": {"kinds": ["dissatisfied", "quality"]}}})
    driver = world.driver(rollout)
    world.tick(driver)
    score(world, asked(world, range(300), candidate_fails), candidate=0.0, stable=1.0)
    world.tick(driver, after_s=2)
    kinds = world.rollout(rollout).evidence["analysis"]["kinds"]
    assert kinds["quality by default"]["candidate"]["subjects"] == 0


def test_scores_of_a_rollout_before_say_nothing_of_the_next(sqlite_world: World) -> None:
    world = sqlite_world
    first = world.driver(world.open_rollout({"canary": HALF}))
    world.tick(first)
    score(world, asked(world, range(300)), candidate=0.0, stable=1.0)
    assert world.tick(first).kind is MoveKind.ROLL_BACK
    second = world.driver(world.open_rollout({"canary": HALF}))
    world.tick(second)
    assert world.tick(second, after_s=2).kind is MoveKind.WAIT


def test_a_driver_that_begins_anew_knows_the_same(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout({"canary": HALF})
    first = world.driver(rollout)
    world.tick(first)
    for evaluator, users in (("polite", range(40)), ("helpful", range(40, 90)), ("polite", range(90, 120))):
        score(world, asked(world, users), candidate=0.6, stable=0.7, evaluator=evaluator)
        world.tick(first, after_s=2)
    second = world.driver(rollout)
    world.tick(second)
    assert second.watch.figures() == first.watch.figures()
    assert list(second.watch.figures()["analysis"]["kinds"]) == ["error", "quality by polite", "quality by helpful"]


def test_a_canary_that_wants_scores_is_not_promoted_before_they_are_there(sqlite_world: World) -> None:
    world = sqlite_world
    driver = world.driver(world.open_rollout({"canary": {**HALF, "min_scores": 30}}))
    world.tick(driver)
    arms = asked(world, range(200))
    move = world.tick(driver, after_s=31)
    assert move.kind is MoveKind.WAIT
    assert "0 users of each release had an answer scored, 30 are needed" in move.sentence
    score(world, arms, candidate=0.8, stable=0.8)
    assert world.tick(driver).kind is MoveKind.PROMOTE
