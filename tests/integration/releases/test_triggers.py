"""After the rollout: what trouble does to a release that serves, and what a recall does everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from opsloop.core.errors import AnswerIsNo, Conflict
from opsloop.core.events import outbox
from opsloop.core.jobs.inline import run_due
from opsloop.core.workspace import Workspace
from opsloop.monitoring.drift.events import DriftDetected
from opsloop.releases import freezes, recalls, rollouts, triggers
from opsloop.releases import service as releases
from opsloop.releases._tables import EndpointRow, ReleaseRow
from opsloop.releases.baking import BakeWatch
from opsloop.releases.models import RolloutStatus
from tests.integration.releases.conftest import CANARY, OPERATOR, World, candidate_fails

ROLLBACK = {"on_trigger": "rollback", "bake_s": 600}


def baked(world: World, **bake: Any) -> str:
    return world.open_rollout({"blue-green": {"bake": {**ROLLBACK, **bake}}})


def stable(world: World) -> int:
    with world.workspace.reading(OPERATOR) as uow:
        found = releases.endpoint(uow, "chat").stable
    assert found is not None
    return found.number


def pull(world: World, cause: str = "slo", **more: Any) -> str:
    with world.workspace.writing(OPERATOR) as uow:
        return triggers.pull(uow, "chat", cause=cause, reason="the error budget burns", **more)


def left_for(world: World, number: int) -> str | None:
    with world.workspace.reading(OPERATOR) as uow:
        return uow.session.scalar(select(ReleaseRow.left_for).where(ReleaseRow.number == number))


def test_trouble_under_watch_goes_back_once_and_never_to_and_fro(world: World) -> None:
    baked(world)
    baked(world)
    assert stable(world) == 3
    assert pull(world) == "back from release 3 to 2, slo: the error budget burns"
    assert (stable(world), left_for(world, 3)) == (2, "slo: the error budget burns")
    assert world.route().stable is not None
    assert [pull(world, cause) for cause in ("slo", "drift", "error")] == ["", "", ""]
    assert stable(world) == 2


def test_the_release_that_comes_back_is_not_under_watch_itself(sqlite_world: World) -> None:
    world = sqlite_world
    world.open_rollout("blue-green")
    baked(world)
    pull(world)
    assert [pull(world, cause) for cause in ("slo", "drift", "error")] == ["", "", ""]
    assert stable(world) == 2


def test_after_its_time_a_release_is_not_blamed_any_more(sqlite_world: World) -> None:
    baked(sqlite_world)
    sqlite_world.clock.advance(600)
    assert pull(sqlite_world) == ""
    assert stable(sqlite_world) == 2


def test_trouble_of_another_release_is_not_this_ones(sqlite_world: World) -> None:
    baked(sqlite_world)
    assert pull(sqlite_world, release="release_1") == ""
    assert stable(sqlite_world) == 2


def test_a_plan_may_only_tell_and_tells_a_cause_once(sqlite_world: World) -> None:
    rollout = baked(sqlite_world, on_trigger="tell")
    assert pull(sqlite_world) == "slo: the error budget burns"
    assert pull(sqlite_world) == ""
    assert stable(sqlite_world) == 2
    assert [event.kind for event in sqlite_world.history(rollout).events] == ["promoted", "triggered"]


def test_a_plan_may_stop_what_comes_next(sqlite_world: World) -> None:
    baked(sqlite_world, on_trigger="pause")
    pull(sqlite_world)
    assert stable(sqlite_world) == 2
    with sqlite_world.workspace.reading(OPERATOR) as uow:
        (freeze,) = freezes.active(uow, "chat")
    assert "release 2 is in trouble, slo: the error budget burns" in freeze.reason


def test_trouble_during_a_rollout_pauses_it_for_both_releases_serve(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout({"canary": {**CANARY, "bake": ROLLBACK}})
    world.tick(world.driver(rollout))
    assert "paused" in pull(world)
    assert world.rollout(rollout).status is RolloutStatus.PAUSED


def test_a_drift_alarm_is_such_trouble(sqlite_world: World) -> None:
    world = sqlite_world
    baked(world)
    with world.workspace.writing(OPERATOR) as uow:
        uow.emit(
            DriftDetected(
                alarm="alarm_1",
                endpoint="chat",
                release="release_2",
                model="iris@2",
                sentence="rows changed",
                feature="",
                score=2.0,
            )
        )
    outbox.deliver_due(world.workspace)
    assert stable(world) == 1
    assert left_for(world, 2) == "drift: rows changed"


def test_a_limit_that_is_exceeded_goes_back_and_one_that_is_kept_does_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSLOOP_ROLLOUT_TICK_S", "0.001")
    baked(world, limits={"error": 0.05, "slow": 0.5})
    world.ask(range(300))

    def fails(_arm: Any, subject: str) -> dict[str, Any]:
        return {"status": "error", "http_status": 502} if int(subject.removeprefix("user-")) % 4 == 0 else {}

    with world.workspace.reading(OPERATOR) as uow:
        rollout = releases.endpoint(uow, "chat").rollout
    assert rollout is not None
    watch = BakeWatch.of(world.workspace, rollout.id, {"after": 0, "feedback_after": 0})
    assert watch.tick(world.workspace) is False
    assert stable(world) == 2
    world.ask(range(600), fails)
    watch.tick(world.workspace)
    assert stable(world) == 1
    assert "requests failed at least, the limit is 5.0%" in (left_for(world, 2) or "")
    assert BakeWatch.of(world.workspace, rollout.id, {"after": 0, "feedback_after": 0}).tick(world.workspace)


def test_the_job_of_the_watch_ends_with_it(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_ROLLOUT_TICK_S", "0.001")
    baked(sqlite_world, limits={"error": 0.05})
    sqlite_world.clock.advance(601)
    assert run_due(sqlite_world.workspace, kind=rollouts.BAKE) == 1
    assert stable(sqlite_world) == 2


def test_a_candidate_that_was_taken_back_keeps_the_cause(sqlite_world: World) -> None:
    world = sqlite_world
    rollout = world.open_rollout()
    driver = world.driver(rollout)
    world.tick(driver)
    world.ask(range(400), candidate_fails)
    world.tick(driver)
    assert "candidate fails" in (left_for(world, 2) or "")


@pytest.fixture
def shop(workspace: Workspace, registered: Callable[[Workspace, str], str]) -> Workspace:
    """`chat` and `desk` serve answer@1; `chat` then answer@2; `desk` tries it."""
    for text in ("one", "two", "three"):
        registered(workspace, text)
    with workspace.writing(OPERATOR) as uow:
        for name in ("chat", "desk"):
            releases.create_endpoint(uow, name)
            releases.create_release(uow, name, flow="answer@1")
    with workspace.writing(OPERATOR) as uow:
        releases.create_release(uow, "chat", flow="answer@2", strategy="blue-green")
        releases.create_release(uow, "desk", flow="answer@2", strategy="canary")
    return workspace


def newest(workspace: Workspace, endpoint: str) -> str:
    with workspace.reading(OPERATOR) as uow:
        return releases.releases(uow, endpoint)[0].id


def served(workspace: Workspace) -> dict[str, str | None]:
    with workspace.reading(OPERATOR) as uow:
        return {each.endpoint.name: each.stable.serves if each.stable else None for each in releases.endpoints(uow)}


def test_a_recall_takes_content_out_of_every_endpoint_and_lets_none_serve_it_again(shop: Workspace) -> None:
    with shop.writing(OPERATOR) as uow:
        done = recalls.recall(uow, newest(shop, "chat"), reason="leaks addresses")
    assert [each.endpoint for each in done.effects] == ["chat", "desk"]
    assert served(shop) == {"chat": "answer@1", "desk": "answer@1"}
    with shop.reading(OPERATOR) as uow:
        desk = releases.endpoint(uow, "desk").rollout
    assert desk is not None
    assert (desk.status, "answer@2 was recalled" in desk.reason) == (RolloutStatus.ROLLED_BACK, True)
    with shop.writing(OPERATOR) as uow, pytest.raises(AnswerIsNo, match="recalled by test:operator: leaks addresses"):
        releases.create_release(uow, "desk", flow="answer@2", config={"other": 1})
    with shop.writing(OPERATOR) as uow, pytest.raises(Conflict, match="recalled already"):
        recalls.recall(uow, newest(shop, "desk"), reason="again")


def test_an_endpoint_without_another_release_serves_nothing_after_a_recall(shop: Workspace) -> None:
    with shop.reading(OPERATOR) as uow:
        first = releases.releases(uow, "desk")[-1].id
    with shop.writing(OPERATOR) as uow:
        done = recalls.recall(uow, first, reason="wrong licence")
    assert served(shop) == {"chat": "answer@2", "desk": None}
    assert "serves nothing" in done.effects[0].sentence
    with shop.writing(OPERATOR) as uow, pytest.raises(Conflict, match="no earlier release"):
        releases.roll_back(uow, "chat")  # what it served before is recalled
    with shop.writing(OPERATOR) as uow:
        releases.create_release(uow, "desk", flow="answer@3")
    assert served(shop)["desk"] == "answer@3"
    with shop.reading(OPERATOR) as uow:
        assert uow.session.get_one(EndpointRow, "desk").earlier == []
