"""A rollout whose process is killed goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from opsloop.core.clock import SystemClock
from opsloop.core.jobs.registry import JobContext
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.releases.jobs import drive
from opsloop.releases.models import RolloutStatus
from tests.integration.releases.conftest import candidate_fails, make_world

DRIVE = """
import sys, threading
from pathlib import Path
from opsloop.core.jobs.registry import JobContext
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.releases.jobs import drive

workspace = open_workspace(CoreSettings(data_dir=Path(sys.argv[1])))
told = lambda done, total, message: print(message, flush=True)
drive(JobContext(workspace, "job", stopping=threading.Event(), progress=told), {"rollout": sys.argv[2]})
"""


def drive_until(sentence: str, data_dir: Path, rollout: str) -> None:
    """Drive a rollout in another process, and kill that process when it says something."""
    process = subprocess.Popen([sys.executable, "-c", DRIVE, str(data_dir), rollout], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert any(sentence in line for line in process.stdout)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_a_rollout_whose_driver_is_killed_is_rolled_back_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSLOOP_ROLLOUT_SETTLE_S", "0")
    data_dir = tmp_path / "data"
    workspace = open_workspace(CoreSettings(data_dir=data_dir))
    world = make_world(workspace, SystemClock())
    rollout = world.open_rollout()
    drive_until("gets 20 % of users", data_dir, rollout)
    assert world.rollout(rollout).status is RolloutStatus.RUNNING
    assert world.route().candidate_share == 0.2
    world.ask(range(40))
    drive_until("watched for", data_dir, rollout)
    counted = world.rollout(rollout)
    assert counted.evidence["candidate"]["users"] + counted.evidence["stable"]["users"] == 40
    world.ask(range(40, 400), candidate_fails)
    drive(JobContext(workspace, "job", stopping=threading.Event(), progress=lambda *_: None), {"rollout": rollout})
    ended = world.history(rollout)
    assert ended.rollout.status is RolloutStatus.ROLLED_BACK
    assert [event.kind for event in ended.events] == ["started", "rolled_back"]
    seen = ended.rollout.evidence["candidate"]["users"] + ended.rollout.evidence["stable"]["users"]
    assert seen == 400
    workspace.close()
