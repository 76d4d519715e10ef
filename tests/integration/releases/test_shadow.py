"""A candidate in the shadow of stable: asked on copies, never answering, until enough pairs speak for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opsloop.core.workspace import Workspace
from opsloop.monitoring import records
from opsloop.monitoring.models import BESIDE, RequestRecord
from opsloop.releases import routing
from opsloop.releases.driver import Driver
from opsloop.releases.models import RolloutStatus
from opsloop.releases.moves import MoveKind
from tests.integration.releases.conftest import OPERATOR, World

SHADOW: dict[str, Any] = {
    "shadow": {
        "min_pairs": 100,
        "min_duration_s": 30,
        "analysis": {"kinds": ["error", "slow"], "slow_ms": 500},
        "then": {"canary": {"steps": [{"share": 0.2, "min_duration_s": 0, "min_subjects": 20}]}},
    }
}
PROMOTE: dict[str, Any] = {"shadow": {"min_pairs": 100, "min_duration_s": 0, "then": "promote"}}
Copied = Callable[[int], dict[str, Any]]


def well(_number: int) -> dict[str, Any]:
    return {"agreement": 1.0}


def copy(world: World, count: int, copied: Copied = well) -> None:
    """Requests that stable answers and the candidate is asked too; its records come first for every second one."""
    route = world.route()
    assert route.stable is not None
    assert route.candidate is not None
    made = []
    for place in range(count):
        number = next(world.numbers)
        facts: dict[str, Any] = {
            "endpoint": "chat",
            "rollout": route.rollout,
            "subject": "a service",
            "started_at": world.clock.now(),
            "duration_ms": 10.0,
            "status": "ok",
        }
        stable = RequestRecord(request_id=f"r{number}", release=route.stable.release, arm="stable", **facts)
        beside = {**facts, "request_id": f"r{number}{BESIDE}", "release": route.candidate.release, "arm": "candidate"}
        candidate = RequestRecord(**{**beside, "shadow": True, **copied(place)})
        made += [candidate, stable] if place % 2 else [stable, candidate]
    with world.workspace.writing(OPERATOR) as uow:
        records.ingest(uow, made)


def begun(world: World, strategy: dict[str, Any]) -> tuple[str, Driver]:
    rollout = world.open_rollout(strategy)
    driver = world.driver(rollout)
    assert world.tick(driver).kind is MoveKind.START
    return rollout, driver


def test_in_the_shadow_stable_answers_everybody_and_requests_are_copied(world: World) -> None:
    rollout = world.open_rollout(SHADOW)
    assert world.route().shadow == 0.0  # nobody watches yet
    world.tick(world.driver(rollout))
    route = world.route()
    assert (route.shadow, route.candidate_share) == (1.0, 0.0)
    assert {world.arm_of(f"user-{number}") for number in range(200)} == {"stable"}


def test_a_candidate_that_does_well_goes_on_as_a_canary(world: World) -> None:
    rollout, driver = begun(world, SHADOW)
    copy(world, 200)
    assert "watched for" in world.tick(driver).sentence
    move = world.tick(driver, after_s=40)
    assert (move.kind, world.route().shadow) == (MoveKind.STEP, 0.0)
    assert "after 200 copied requests, agreeing on 100.0% of rows" in move.sentence
    assert world.route().candidate_share == 0.2
    world.ask(range(2_000))
    assert world.run_to_end(driver).kind is MoveKind.END
    history = world.history(rollout)
    assert history.rollout.status is RolloutStatus.PROMOTED
    assert [event.kind for event in history.events] == ["shadowed", "stepped", "promoted"]


def test_a_candidate_that_fails_where_stable_does_not_is_taken_back_before_anybody_saw_it(world: World) -> None:
    rollout, driver = begun(world, SHADOW)
    copy(world, 100, lambda place: {"status": "error", "http_status": 500} if place % 3 == 0 else well(place))
    assert world.tick(driver).kind is MoveKind.ROLL_BACK
    found = world.rollout(rollout)
    assert found.status is RolloutStatus.ROLLED_BACK
    assert found.evidence["shadow"]["kinds"]["error"]["candidate_only"] == 34
    assert found.evidence["candidate"]["requests"] == 0


def test_a_slow_candidate_is_taken_back(world: World) -> None:
    _, driver = begun(world, SHADOW)
    copy(world, 100, lambda place: {"duration_ms": 900.0})
    move = world.tick(driver)
    assert (move.kind, "slow" in move.sentence) == (MoveKind.ROLL_BACK, True)


def test_too_few_pairs_never_promote(world: World) -> None:
    _, driver = begun(world, PROMOTE)
    copy(world, 99)
    move = world.tick(driver, after_s=86_400)
    assert (move.kind, "99 copied requests, 100 are needed" in move.sentence) == (MoveKind.WAIT, True)


def test_it_takes_over_at_once_where_that_is_wanted(world: World) -> None:
    rollout, driver = begun(world, PROMOTE)
    copy(world, 150)
    assert world.tick(driver).kind is MoveKind.PROMOTE
    assert world.rollout(rollout).status is RolloutStatus.PROMOTED
    assert world.route().candidate is None


def test_a_driver_that_was_killed_knows_the_same_pairs(world: World) -> None:
    rollout, driver = begun(world, PROMOTE)
    copy(world, 60)
    world.tick(driver)
    again = world.driver(rollout)
    copy(world, 60)
    assert world.tick(again).kind is MoveKind.PROMOTE


def test_a_pause_in_the_shadow_goes_on_copying(world: World) -> None:
    from opsloop.releases import rollouts

    rollout, driver = begun(world, PROMOTE)
    with world.workspace.writing(OPERATOR) as uow:
        rollouts.pause(uow, rollout)
    copy(world, 150)
    assert (world.tick(driver).kind, world.route().shadow) == (MoveKind.WAIT, 1.0)
    with world.workspace.writing(OPERATOR) as uow:
        assert rollouts.resume(uow, rollout).status is RolloutStatus.RUNNING
    assert world.tick(driver).kind is MoveKind.PROMOTE


def test_copies_are_no_traffic_of_callers(world: World) -> None:
    from opsloop.monitoring import traffic

    begun(world, SHADOW)
    copy(world, 10)
    assert requests_of(world.workspace, traffic) == 10


def requests_of(workspace: Workspace, traffic: Any) -> int:
    with workspace.reading(OPERATOR) as uow:
        return int(traffic.summary(uow, "chat").requests)


def test_the_share_of_copies_is_the_strategys(world: World) -> None:
    begun(world, {"shadow": {"sample": 0.25}})
    assert isinstance(world.route(), routing.Route)
    assert world.route().shadow == 0.25
