"""The durable job: runs a rollout to its end, hands it over, and leaves no candidate unwatched."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from opsloop.core.db.database import DatabaseAway
from opsloop.core.jobs import registry
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.inline import run_due
from opsloop.core.jobs.models import JobStatus
from opsloop.core.jobs.registry import Again, JobContext
from opsloop.core.workspace import Workspace
from opsloop.releases import rollouts
from opsloop.releases.driver import Driver
from opsloop.releases.jobs import drive
from opsloop.releases.models import RolloutStatus
from opsloop.releases.moves import Move
from tests.integration.releases.conftest import OPERATOR, World, candidate_fails

MANY = range(400)


@pytest.fixture
def hasty(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Looks at once, and counts nothing after the end."""
    monkeypatch.setenv("OPSLOOP_ROLLOUT_TICK_S", "0.001")
    monkeypatch.setenv("OPSLOOP_ROLLOUT_SETTLE_S", "0")
    return sqlite_world


def start(world: World) -> str:
    rollout = world.open_rollout()
    world.tick(world.driver(rollout))
    return rollout


def test_the_job_of_a_failing_rollout_rolls_it_back_and_is_done(hasty: World) -> None:
    rollout = start(hasty)
    hasty.ask(MANY, candidate_fails)
    assert run_due(hasty.workspace) == 1
    assert hasty.rollout(rollout).status is RolloutStatus.ROLLED_BACK
    assert hasty.rollout(rollout).evidence["final"] is True
    with hasty.workspace.reading(OPERATOR) as uow:
        assert jobs.get(uow, f"job_{rollout}").status is JobStatus.DONE


def test_a_process_that_drains_hands_the_rollout_on_as_it_is(hasty: World) -> None:
    rollout = start(hasty)
    stopping = threading.Event()
    stopping.set()
    context = JobContext(hasty.workspace, "job", stopping=stopping, progress=lambda *_: None)
    with pytest.raises(Again):
        drive(context, {"rollout": rollout})
    assert hasty.rollout(rollout).status is RolloutStatus.RUNNING
    assert hasty.route().candidate_share == 0.2


def test_a_candidate_whose_driver_breaks_gets_no_more_traffic(hasty: World) -> None:
    rollout = start(hasty)

    def breaks(_done: int, _total: int, _message: str) -> None:
        raise RuntimeError("out of order")

    context = JobContext(hasty.workspace, "job", stopping=threading.Event(), progress=breaks)
    with pytest.raises(RuntimeError):
        drive(context, {"rollout": rollout})
    ended = hasty.rollout(rollout)
    assert (ended.status, ended.share) == (RolloutStatus.ABORTED, 0.0)
    assert "out of order" in ended.reason
    assert hasty.route().candidate is None


def test_a_job_that_is_cancelled_takes_its_candidate_out_of_traffic(hasty: World) -> None:
    rollout = start(hasty)
    with hasty.workspace.writing(OPERATOR) as uow:
        jobs.cancel(uow, f"job_{rollout}")
    run_due(hasty.workspace)
    drive_cancelled(hasty.workspace, rollout)
    assert hasty.route().candidate is None


def drive_cancelled(workspace: Workspace, rollout: str) -> None:
    """What the runner does with a job that was cancelled while it ran."""
    from opsloop.core.jobs._execution import Cancelled, _Progress

    progress = _Progress(workspace, f"job_{rollout}")
    context = JobContext(workspace, f"job_{rollout}", stopping=threading.Event(), progress=progress)
    with pytest.raises(Cancelled):
        drive(context, {"rollout": rollout})


def test_a_database_that_is_away_for_a_while_stops_no_rollout(hasty: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rollout = start(hasty)
    hasty.ask(MANY, candidate_fails)
    look, failures = Driver.tick, iter([DatabaseAway(where="there", reason="gone")] * 3)

    def away_at_first(driver: Driver, workspace: Workspace) -> Move:
        if (failure := next(failures, None)) is not None:
            raise failure
        return look(driver, workspace)

    monkeypatch.setattr(Driver, "tick", away_at_first)
    run_due(hasty.workspace)
    assert hasty.rollout(rollout).status is RolloutStatus.ROLLED_BACK


def test_a_rollout_that_an_operator_ended_ends_its_job(hasty: World) -> None:
    rollout = start(hasty)
    with hasty.workspace.writing(OPERATOR) as uow:
        rollouts.promote(uow, rollout)
    assert run_due(hasty.workspace) == 1
    events: list[Any] = [event.kind for event in hasty.history(rollout).events]
    assert events == ["started", "promoted"]


def test_a_driver_that_breaks_while_the_database_is_away_still_takes_its_candidate_out_of_traffic(
    hasty: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = start(hasty)
    give_up, refusals = (
        rollouts.give_up,
        [DatabaseAway(where="state", reason="gone"), DatabaseAway(where="s", reason="")],
    )

    def sometimes(*given: Any, **named: Any) -> None:
        if refusals:
            raise refusals.pop()
        give_up(*given, **named)

    def breaks(_done: int, _total: int, _message: str) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(rollouts, "give_up", sometimes)
    monkeypatch.setattr(registry, "RETRY_S", 0.0)
    context = JobContext(hasty.workspace, "job", stopping=threading.Event(), progress=breaks)
    with pytest.raises(RuntimeError):
        drive(context, {"rollout": rollout})
    assert not refusals
    assert hasty.rollout(rollout).status is RolloutStatus.ABORTED
    assert hasty.route().candidate is None
