"""A/B tests: what their driver does at the end, on what evidence, and what the report says."""

from __future__ import annotations

import random
from typing import Any

import pytest

from opsloop.core.errors import Conflict
from opsloop.monitoring import records
from opsloop.releases import rollouts, routing
from opsloop.releases.experiments import service as experiments
from opsloop.releases.experiments.models import ExperimentReport, Outcome, Standing
from opsloop.releases.models import RolloutStatus
from opsloop.releases.moves import Move, MoveKind
from tests.integration.releases.conftest import OPERATOR, World, answered
from tests.integration.releases.conftest import Outcome as Answer

MANY = range(1_200)
LATENCY = {"metrics": [{"name": "latency", "cap": 1_000}, "error"], "duration_s": 3_600}


def faster(by_ms: float) -> Answer:
    draw = random.Random(5)

    def outcome(arm: routing.Arm, _subject: str) -> dict[str, Any]:
        return {"duration_ms": draw.uniform(300, 500) - (by_ms if arm.name == "candidate" else 0.0)}

    return outcome


def run(world: World, options: dict[str, Any], outcome: Answer, *, users: range = MANY) -> tuple[str, Move]:
    """An A/B test through its planned hour; the move that follows."""
    rollout = world.open_rollout({"ab": options})
    driver = world.driver(rollout)
    world.tick(driver)
    world.ask(users, outcome)
    assert world.tick(driver, after_s=1_800).kind is MoveKind.WAIT
    return rollout, world.tick(driver, after_s=1_801)


def report(world: World, rollout: str) -> ExperimentReport:
    with world.workspace.reading(OPERATOR) as uow:
        return experiments.report(uow, rollout)


def test_a_win_promotes_when_the_plan_says_so(world: World) -> None:
    rollout, move = run(world, {**LATENCY, "on_win": "promote"}, faster(150))
    assert move.kind is MoveKind.PROMOTE
    told = report(world, rollout)
    assert (told.outcome, told.is_over) == (Outcome.WON, True)
    latency = told.metrics[0]
    assert latency.standing is Standing.BETTER
    assert latency.low < -150 < latency.high < 0
    assert latency.difference == pytest.approx(-150, abs=15)
    assert told.sentence.startswith("release 2 wins over release 1: latency is")
    assert "lower (at every look with 95 % confidence, 1,200 users)" in told.sentence
    assert world.rollout(rollout).status is RolloutStatus.PROMOTED


def test_a_win_is_held_for_a_person_otherwise_and_a_restart_knows_the_same(sqlite_world: World) -> None:
    world = sqlite_world
    rollout, move = run(world, LATENCY, faster(150))
    assert move.kind is MoveKind.HOLD
    held = world.rollout(rollout)
    assert (held.status, held.share) == (RolloutStatus.PAUSED, 0.5)
    again = world.driver(rollout)
    assert world.tick(again).kind is MoveKind.WAIT
    assert again.experiment is not None
    assert again.experiment.figures() == held.evidence["experiment"]
    with world.workspace.writing(OPERATOR) as uow:
        assert rollouts.promote(uow, rollout).status is RolloutStatus.PROMOTED


def test_a_loss_is_taken_back(sqlite_world: World) -> None:
    rollout, move = run(sqlite_world, LATENCY, faster(-150))
    assert move.kind is MoveKind.ROLL_BACK
    assert "release 2 is worse than release 1: latency is" in move.sentence
    assert sqlite_world.rollout(rollout).status is RolloutStatus.ROLLED_BACK


@pytest.mark.parametrize(
    ("otherwise", "kind", "status"),
    [("give_up", MoveKind.GIVE_UP, RolloutStatus.ABORTED), ("hold", MoveKind.HOLD, RolloutStatus.PAUSED)],
)
def test_nothing_is_promoted_without_evidence(
    sqlite_world: World, otherwise: str, kind: MoveKind, status: RolloutStatus
) -> None:
    options = {**LATENCY, "on_win": "promote", "otherwise": otherwise}
    rollout, move = run(sqlite_world, options, faster(0))
    assert move.kind is kind
    assert "inconclusive: of release 2 latency may be" in move.sentence
    assert sqlite_world.rollout(rollout).status is status


def test_silence_is_no_win(sqlite_world: World) -> None:
    _, move = run(sqlite_world, {**LATENCY, "on_win": "promote"}, answered, users=range(0))
    assert move.kind is MoveKind.GIVE_UP
    assert "latency is not known on both sides yet" in move.sentence


def test_planned_users_end_it_before_its_time(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout({"ab": {**LATENCY, "subjects": 500, "on_win": "promote"}})
    driver = world.driver(rollout)
    world.tick(driver)
    world.ask(range(499), faster(150))
    assert world.tick(driver).kind is MoveKind.WAIT
    world.ask(range(499, 500), faster(150))
    assert world.tick(driver).kind is MoveKind.PROMOTE


def test_harm_ends_it_at_once(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout({"ab": LATENCY})
    driver = world.driver(rollout)
    world.tick(driver)

    def fails(arm: routing.Arm, _subject: str) -> dict[str, Any]:
        return {"status": "error", "http_status": 502} if arm.name == "candidate" else {}

    world.ask(MANY, fails)
    assert world.tick(driver).kind is MoveKind.ROLL_BACK


def test_satisfaction_counts_the_first_word_of_each_user(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout({"ab": {"metrics": ["satisfaction"], "duration_s": 60}})
    driver = world.driver(rollout)
    world.tick(driver)
    world.dislike(["request-1"])  # before its record: the first of these
    ids = world.ask(range(40))
    world.ask(range(40))
    world.dislike(ids)
    world.tick(driver, after_s=2)
    told = report(world, rollout).metrics[0]
    assert told.candidate.users + told.stable.users == 40
    assert (told.candidate.mean, told.stable.mean) == (0.0, 0.0)


def test_users_who_are_lost_on_one_side_make_nothing_comparable(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout({"ab": {**LATENCY, "on_win": "promote"}})
    driver = world.driver(rollout)
    world.tick(driver)
    route = world.route()
    kept = [number for number in range(3_000) if routing.choose(route, f"user-{number}").name == "stable" or number % 5]
    made = [world._record(route, f"user-{number}", faster(150)) for number in kept]
    with world.workspace.writing(OPERATOR) as uow:
        records.ingest(uow, made)
    move = world.tick(driver, after_s=3_601)
    assert move.kind is MoveKind.GIVE_UP
    assert "sample ratio mismatch" in move.sentence
    assert report(world, rollout).users.is_mismatch


def test_a_metric_with_a_margin_must_be_shown_to_be_kept(sqlite_world: World) -> None:
    metrics = [{"name": "latency", "cap": 1_000}, {"name": "error", "margin": 0.001}]
    _, move = run(sqlite_world, {**LATENCY, "metrics": metrics, "on_win": "promote"}, faster(150))
    assert move.kind is MoveKind.GIVE_UP
    assert "inconclusive: of release 2 errors may be" in move.sentence


def test_a_canary_has_no_report(sqlite_world: World) -> None:
    rollout = sqlite_world.open_rollout()
    with (
        sqlite_world.workspace.reading(OPERATOR) as uow,
        pytest.raises(Conflict, match="is no experiment but a canary"),
    ):
        experiments.report(uow, rollout)
