"""The schedule of a pipeline, on a clock that tests set: at its time, once, also when nothing ran then."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.jobs import _execution, schedules
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.models import service as models
from opsloop.training import learning, service
from opsloop.training.models import TrainingStatus
from tests.integration.training.conftest import Garden, flowers, garden_of
from tests.training_here import training_here

assert training_here
pytestmark = pytest.mark.usefixtures("training_here")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2027, 1, day, hour, minute, tzinfo=UTC)


def fire(garden: Garden) -> int:
    asked = schedules.fire_due(garden.workspace)
    garden.work()
    return asked


def test_a_pipeline_trains_at_three_in_the_morning(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    garden = garden_of(workspace, admin, clock)
    clock.jump_to(at(1, 2, 59))
    assert fire(garden) == 0
    clock.jump_to(at(1, 3))
    assert fire(garden) == 1
    assert fire(garden) == 0
    [run] = garden.runs()
    assert (run.trigger, run.reason, run.created_by) == ("schedule", "due at 2027-01-01 03:00 UTC", "system:training")
    assert (run.status, run.model) == (TrainingStatus.DONE, "flowers@1")
    assert run.artifacts["model"] == "models/model-20270101_030000.onnx"

    clock.jump_to(at(2, 3))
    assert fire(garden) == 1
    assert [each.status for each in garden.runs()] == [TrainingStatus.SKIPPED, TrainingStatus.DONE]
    garden.register(flowers(shift=0.001))
    clock.jump_to(at(3, 3))
    assert fire(garden) == 1
    assert garden.runs()[0].model == "flowers@2"


def test_times_missed_while_the_platform_was_down_are_caught_up_as_one_run_that_says_so(garden: Garden) -> None:
    garden.clock.jump_to(at(4, 8))
    assert fire(garden) == 1
    [run] = garden.runs()
    assert run.reason == "due at 2027-01-01 03:00 UTC; caught up 4,620 minutes later"
    assert run.status is TrainingStatus.DONE
    assert fire(garden) == 0
    garden.clock.jump_to(at(5, 3))
    assert fire(garden) == 1


def test_two_processes_on_one_database_do_not_run_it_twice(
    migrated_url: str, workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    garden = garden_of(workspace, admin, clock)
    settings = CoreSettings(data_dir=workspace.data_dir, database_url=migrated_url)
    other = Garden(open_workspace(settings, clock=clock), admin, clock)
    clock.jump_to(at(1, 3))
    assert schedules.fire_due(garden.workspace) + schedules.fire_due(other.workspace) == 1
    assert garden.work() + other.work() == 1
    assert len(other.runs()) == 1
    other.workspace.close()


def test_a_process_that_ends_between_the_time_and_the_training_goes_on_at_the_next_start(garden: Garden) -> None:
    garden.clock.jump_to(at(1, 3))
    schedules.fire_due(garden.workspace)
    garden.workspace.close()
    again = Garden(
        open_workspace(CoreSettings(data_dir=garden.workspace.data_dir), clock=garden.clock), garden.by, garden.clock
    )
    garden.clock.jump_to(at(1, 3, 30))
    assert schedules.fire_due(again.workspace) == 0
    assert again.work() == 1
    [run] = again.runs()
    assert (run.status, run.reason) == (TrainingStatus.DONE, "due at 2027-01-01 03:00 UTC; caught up 30 minutes later")
    again.workspace.close()


def test_a_process_that_is_killed_in_the_middle_of_a_scheduled_training_goes_on_and_makes_one_version(
    garden: Garden, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Nothing of ours catches it, as nothing runs after a SIGKILL."""

    def killed(*_args: Any, **_how: Any) -> Any:
        raise Killed

    garden.clock.jump_to(at(1, 3))
    schedules.fire_due(garden.workspace)
    with monkeypatch.context() as patched:
        patched.setattr(learning, "learn", killed)
        with pytest.raises(Killed):
            garden.work()
    garden.workspace.close()
    again = Garden(
        open_workspace(CoreSettings(data_dir=garden.workspace.data_dir), clock=garden.clock), garden.by, garden.clock
    )
    [begun] = again.runs()
    assert (begun.status, begun.model, begun.data) == (TrainingStatus.RUNNING, None, "flowers@1")
    again.register(flowers(shift=0.001))  # it learns from what it began with all the same
    garden.clock.jump_to(at(1, 3, 30))
    assert schedules.fire_due(again.workspace) == 0
    [(job, attempt)] = _execution.claim_running(again.workspace)
    assert attempt == 2
    _execution.execute(again.workspace, job, stopping=threading.Event())
    [run] = again.runs()
    assert (run.id, run.status, run.model, run.data) == (begun.id, TrainingStatus.DONE, "flowers@1", "flowers@1")
    assert run.artifacts["model"] == "models/model-20270101_033000.onnx"
    with again.workspace.reading(again.by) as uow:
        assert [each.ref for each in models.versions(uow, "flowers")] == ["flowers@1"]
    again.workspace.close()


def test_without_a_schedule_it_trains_on_demand_only(garden: Garden) -> None:
    assert garden.put().schedule == "0 3 * * *"
    assert garden.put().next_at == at(1, 3)
    assert garden.put(schedule="30 4 * * 1").next_at == at(4, 4, 30)
    assert garden.put(schedule="none").schedule is None
    garden.clock.jump_to(at(9, 3))
    assert fire(garden) == 0
    assert garden.trained().status is TrainingStatus.DONE


def test_a_pipeline_that_is_removed_before_its_job_begins_fails_the_job_with_a_sentence(garden: Garden) -> None:
    garden.clock.jump_to(at(1, 3))
    schedules.fire_due(garden.workspace)
    with garden.workspace.writing(garden.by) as uow:
        service.remove(uow, "flowers")
    assert garden.work() == 1
    assert garden.runs() == []
