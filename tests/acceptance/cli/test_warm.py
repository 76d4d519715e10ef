"""What stands in for the console script where tests run many commands behaves as it does."""

from __future__ import annotations

import signal
import subprocess
import threading
from pathlib import Path

import pytest

from opsloop.core.lock import holder_of
from tests.acceptance.up import OPSLOOP, Up, environment
from tests.warm.command import folder

WARM = str(folder() / "opsloop")


def done(command: str, *words: str, cwd: Path, given: str = "") -> tuple[int, str, str]:
    said = subprocess.run([command, *words], cwd=cwd, env=environment(), input=given, capture_output=True, text=True)
    return said.returncode, said.stdout, said.stderr


@pytest.mark.parametrize("words", [(), ("--version",), ("data", "--help"), ("nonsense",), ("diagnose", "-", "--json")])
def test_it_says_and_ends_as_a_new_process_does(tmp_path: Path, words: tuple[str, ...]) -> None:
    given = "npm ERR! code ERESOLVE\n"
    assert done(WARM, *words, cwd=tmp_path, given=given) == done(OPSLOOP, *words, cwd=tmp_path, given=given)


def test_it_has_the_folder_and_the_environment_of_who_calls_it(tmp_path: Path) -> None:
    (tmp_path / "opsloop.yaml").write_text("project: here\nsettings:\n  body_limit: 5\n")
    code, _, err = done(WARM, "data", "list", cwd=tmp_path)
    assert (code, "opsloop.yaml:3: settings.body_limit is not known" in err) == (2, True)
    away = subprocess.run(
        [WARM, "data", "list"], env=environment(OPSLOOP_URL="http://127.0.0.1:1"), capture_output=True, text=True
    )
    assert (away.returncode, "http://127.0.0.1:1 does not answer" in away.stderr) == (7, True)


def test_signals_reach_the_command_and_a_kill_ends_it(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.acceptance.up.OPSLOOP", WARM)
    (tmp_path / "opsloop.yaml").write_text("project: here\n")
    stopped = Up(tmp_path, port, "--no-demo")
    stopped.ready()
    assert stopped.stop(signal.SIGTERM) == 0
    killed = Up(tmp_path, port, "--no-demo")
    killed.ready()
    killed.kill()
    pause = threading.Event()
    while holder_of(tmp_path / ".opsloop") is not None:
        pause.wait(0.05)
