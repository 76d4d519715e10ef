"""Jobs: started once, continued after a crash, cancelled, failed with a sentence; schedules on an injected clock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.caller import Caller, system
from opsloop.core.clock import FakeClock
from opsloop.core.db.database import DatabaseLocked
from opsloop.core.errors import InvalidInput
from opsloop.core.jobs import _execution, registry, schedules, service
from opsloop.core.jobs.inline import run_due
from opsloop.core.jobs.models import Job, JobStatus
from opsloop.core.jobs.registry import JobContext, job
from opsloop.core.jobs.runner import JobRunner
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace

RUN_SLOW_JOB = """
import sys, threading
from pathlib import Path
from opsloop.core.caller import system
from opsloop.core.jobs import service
from opsloop.core.jobs.registry import job
from opsloop.core.jobs.runner import JobRunner
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings

folder, must_wait = Path(sys.argv[1]), sys.argv[2] == "wait"

@job("test.slow")
def slow(context, payload):
    with (folder / "started").open("a") as file:
        file.write("x")
    print("started", flush=True)
    if must_wait:
        threading.Event().wait(600)

workspace = open_workspace(CoreSettings(data_dir=folder))
runner = JobRunner(workspace)
if must_wait:
    with workspace.writing(system("test")) as uow:
        service.enqueue(uow, "test.slow", {}, id="job_1")
runner.start()
bell = workspace.bell("job-progress")
while True:
    with workspace.reading(system("test")) as uow:
        if service.get(uow, "job_1").status == "done":
            break
    bell.wait(timeout_s=0.2)
runner.stop()
print("done", flush=True)
"""

START_ENGINE_TWICE = """
import sys, threading
from pathlib import Path
from opsloop.core.jobs._durable import Engine
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings

folder = Path(sys.argv[1])
workspace = open_workspace(CoreSettings(data_dir=folder))
in_the_way = folder / "jobs.db"
in_the_way.mkdir()
ran, over = [], threading.Event()

def execute(job_id):
    ran.append(job_id)
    over.set()

try:
    Engine(workspace, execute)
except Exception:
    print("refused")
in_the_way.rmdir()
engine = Engine(workspace, execute)
engine.start("job_1", 1)
over.wait(60)
engine.stop()
print("ran", *ran)
"""

TWO_RUNNERS = """
import sys, time
from pathlib import Path
from opsloop.core.caller import Caller, Role
from opsloop.core.jobs import service
from opsloop.core.jobs.registry import job
from opsloop.core.jobs.runner import JobRunner
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings

BY = Caller("test:admin", Role.ADMIN)
ran = []

@job("test.note")
def note(context, payload):
    ran.append((context.workspace.data_dir.name, payload["word"]))

def ask(workspace, word):
    with workspace.writing(BY) as uow:
        service.enqueue(uow, "test.note", {"word": word}, id=word)

def wait(count):
    until = time.monotonic() + 60
    while len(ran) < count and time.monotonic() < until:
        time.sleep(0.02)

first, second = (open_workspace(CoreSettings(data_dir=Path(sys.argv[1]) / name)) for name in ("one", "two"))
runners = [JobRunner(first), JobRunner(second)]
for each in runners:
    each.start()
ask(first, "a"), wait(1)
ask(second, "b"), wait(2)
ask(first, "c"), wait(3)
runners[0].stop()
ask(second, "d"), wait(4)
runners[1].stop()
print(*(f"{folder}:{word}" for folder, word in ran))
"""


@pytest.fixture(autouse=True)
def handlers() -> None:
    @job("test.count")
    def count(context: JobContext, payload: dict[str, Any]) -> None:
        for number in range(payload["to"]):
            context.progress(number + 1, payload["to"], "counting")

    @job("test.fail")
    def fail(context: JobContext, payload: dict[str, Any]) -> None:
        raise InvalidInput(field="payload", value=payload, wanted="something else")


def enqueue(workspace: Workspace, admin: Caller, kind: str, payload: dict[str, Any], **more: Any) -> Job:
    with workspace.writing(admin) as uow:
        return service.enqueue(uow, kind, payload, **more)


def status(workspace: Workspace, admin: Caller, job_id: str) -> Job:
    with workspace.reading(admin) as uow:
        return service.get(uow, job_id)


def test_a_job_runs_once_and_tells_how_far_it_came(workspace: Workspace, admin: Caller) -> None:
    made = enqueue(workspace, admin, "test.count", {"to": 5})
    assert run_due(workspace) == 1
    assert run_due(workspace) == 0
    found = status(workspace, admin, made.id)
    assert (found.status, found.done, found.total) == (JobStatus.DONE, 5, 5)


def test_asking_twice_under_one_id_gives_one_job(workspace: Workspace, admin: Caller) -> None:
    first = enqueue(workspace, admin, "test.count", {"to": 1}, id="nightly")
    assert enqueue(workspace, admin, "test.count", {"to": 1}, id="nightly") == first
    assert run_due(workspace) == 1


def test_a_failed_job_keeps_its_sentence(workspace: Workspace, admin: Caller) -> None:
    made = enqueue(workspace, admin, "test.fail", {"a": 1})
    run_due(workspace)
    found = status(workspace, admin, made.id)
    assert found.status is JobStatus.FAILED
    assert found.error == "payload: is {'a': 1}; wanted something else"


def test_a_job_for_later_waits(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    enqueue(workspace, admin, "test.count", {"to": 1}, run_after=clock.now() + timedelta(hours=1))
    assert run_due(workspace) == 0
    clock.advance(3_601)
    assert run_due(workspace) == 1


def test_a_cancelled_job_never_starts(workspace: Workspace, admin: Caller) -> None:
    made = enqueue(workspace, admin, "test.count", {"to": 1})
    with workspace.writing(admin) as uow:
        service.cancel(uow, made.id)
    assert run_due(workspace) == 0
    with workspace.writing(admin) as uow, pytest.raises(service.JobIsOver, match="is cancelled already"):
        service.cancel(uow, made.id)


def test_a_schedule_asks_for_its_job_at_its_time_and_once(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    clock.jump_to(datetime(2027, 3, 1, 2, 59, tzinfo=UTC))
    with workspace.writing(admin) as uow:
        schedules.put(uow, "nightly", cron="0 3 * * *", kind="test.count", payload={"to": 1})
    assert schedules.fire_due(workspace) == 0
    clock.advance(61)
    assert schedules.fire_due(workspace) == 1
    assert schedules.fire_due(workspace) == 0
    clock.jump_to(datetime(2027, 3, 1, 2, 59, 30, tzinfo=UTC))  # the clock was set back: not a second night
    assert schedules.fire_due(workspace) == 0
    assert run_due(workspace) == 1


def test_nights_missed_while_nothing_ran_are_caught_up_as_one(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    with workspace.writing(admin) as uow:
        schedules.put(uow, "nightly", cron="0 3 * * *", kind="test.count", payload={"to": 1})
    clock.advance(5 * 86_400)
    assert schedules.fire_due(workspace) == 1
    with workspace.reading(admin) as uow:
        assert schedules.listed(uow)[0].next_at > clock.now()


def test_a_bad_cron_expression_is_refused_with_the_wanted_form(workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow, pytest.raises(InvalidInput, match="five cron fields"):
        schedules.put(uow, "nightly", cron="every night", kind="test.count", payload={})


def test_a_job_whose_process_was_killed_goes_on_at_the_next_start(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", RUN_SLOW_JOB, str(tmp_path), "wait"], stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "started\n"
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    first.stdout.close()
    second = subprocess.run(
        [sys.executable, "-c", RUN_SLOW_JOB, str(tmp_path), "go"],
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    assert second.stdout == "started\ndone\n"
    assert (tmp_path / "started").read_text() == "xx"
    workspace = open_workspace(CoreSettings(data_dir=tmp_path))
    with workspace.reading(system("test")) as uow:
        assert service.get(uow, "job_1").status is JobStatus.DONE
    workspace.close()


class Away:
    """Refuses the first calls of a function, as a database does that is locked or away."""

    def __init__(self, real: Any, times: int) -> None:
        self._real = real
        self.left = times

    def __call__(self, *given: Any, **named: Any) -> Any:
        if self.left:
            self.left -= 1
            raise DatabaseLocked(where="state.db")
        return self._real(*given, **named)


@pytest.mark.parametrize("step", ["_found", "_finish"])
def test_a_job_ends_although_the_database_is_away_for_a_while(
    sqlite_workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    away = Away(getattr(_execution, step), times=3)
    monkeypatch.setattr(_execution, step, away)
    monkeypatch.setattr(registry, "RETRY_S", 0.0)
    made = enqueue(sqlite_workspace, admin, "test.count", {"to": 2})
    assert run_due(sqlite_workspace) == 1
    assert away.left == 0
    assert status(sqlite_workspace, admin, made.id).status is JobStatus.DONE


def test_progress_that_cannot_be_stored_does_not_end_the_job(
    sqlite_workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_execution._Progress, "_write", Away(None, times=9))
    made = enqueue(sqlite_workspace, admin, "test.count", {"to": 2})
    run_due(sqlite_workspace)
    assert status(sqlite_workspace, admin, made.id).status is JobStatus.DONE


def test_a_job_that_could_not_tell_its_end_goes_on_at_the_next_start_as_a_new_attempt(
    sqlite_workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = threading.Event()

    @job("test.stopped")
    def stopped(_context: JobContext, _payload: dict[str, Any]) -> None:
        stopping.set()

    made = enqueue(sqlite_workspace, admin, "test.stopped", {})
    assert _execution.claim_due(sqlite_workspace) == [(made.id, 1)]
    with monkeypatch.context() as patched:
        patched.setattr(_execution, "_finish", Away(None, times=1))
        _execution.execute(sqlite_workspace, made.id, stopping=stopping)
    assert status(sqlite_workspace, admin, made.id).status is JobStatus.RUNNING
    assert _execution.claim_running(sqlite_workspace) == [(made.id, 2)]


class FakeEngine:
    """Takes jobs after it refused some calls."""

    def __init__(self, refuses: int) -> None:
        self.refuses = refuses
        self.started: list[tuple[str, int]] = []

    def start(self, job_id: str, attempt: int) -> None:
        if self.refuses:
            self.refuses -= 1
            raise OSError("no space left on device")
        self.started.append((job_id, attempt))

    def stop(self, *, is_broken: bool = False) -> None:
        """There is nothing to end."""


def test_a_job_that_the_engine_could_not_take_is_handed_over_again(
    sqlite_workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine(refuses=1)
    monkeypatch.setattr(JobRunner, "_engine_loaded", lambda _self: engine)
    first, second = (enqueue(sqlite_workspace, admin, "test.count", {"to": 1}) for _ in range(2))
    runner = JobRunner(sqlite_workspace)
    for _ in range(3):
        runner.look()
    assert engine.started == [(first.id, 1), (second.id, 1)]


def test_jobs_of_the_process_before_are_taken_over_once_the_database_answers(
    sqlite_workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine(refuses=0)
    monkeypatch.setattr(JobRunner, "_engine_loaded", lambda _self: engine)
    monkeypatch.setattr("opsloop.core.jobs.runner.claim_running", Away(_execution.claim_running, times=1))
    made = enqueue(sqlite_workspace, admin, "test.count", {"to": 1})
    _execution.claim_due(sqlite_workspace)
    runner = JobRunner(sqlite_workspace)
    for _ in range(3):
        runner.look()
    assert engine.started == [(made.id, 2)]


def test_the_engine_starts_once_its_file_can_be_opened(tmp_path: Path) -> None:
    tried = subprocess.run(
        [sys.executable, "-c", START_ENGINE_TWICE, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    assert tried.stdout == "refused\nran job_1\n"


def test_two_runners_of_one_process_each_run_their_own_jobs(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", TWO_RUNNERS, str(tmp_path)], capture_output=True, text=True, timeout=120, check=True
    )
    assert ran.stdout == "one:a two:b one:c two:d\n"


def test_an_engine_that_takes_nothing_any_more_is_replaced(
    sqlite_workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = [FakeEngine(refuses=1), FakeEngine(refuses=0)]
    made = iter(engines)
    monkeypatch.setattr("opsloop.core.jobs._durable.Engine", lambda _workspace, _execute: next(made))
    asked = enqueue(sqlite_workspace, admin, "test.count", {"to": 1})
    runner = JobRunner(sqlite_workspace)
    for _ in range(2):
        runner.look()
    assert [each.started for each in engines] == [[], [(asked.id, 1)]]
