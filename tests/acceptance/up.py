"""`opsloop` as a user starts it: a platform that runs, and commands beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx

from tests.warm import command as warm

ROOT = Path(__file__).parents[2]
OPSLOOP = str(Path(sys.executable).parent / "opsloop")
# Generous: on a machine that is busy with other work a start takes a minute, and nothing here is measured.
READY_S, SAID_S, STOPPED_S, COMMAND_S = 180.0, 120.0, 120.0, 180.0


def environment(**more: str) -> dict[str, str]:
    """This process's environment without settings of its own."""
    return {key: value for key, value in os.environ.items() if not key.startswith("OPSLOOP_")} | more


def opsloop(*words: str | Path, cwd: Path | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
    """One command to its end, in a process of its own; `settings` are environment variables."""
    command = [str(warm.folder() / "opsloop"), *(str(word) for word in words)]
    return subprocess.run(
        command, cwd=cwd, env=environment(**settings), capture_output=True, text=True, timeout=COMMAND_S, check=False
    )


class Up:
    """One run of `opsloop up`; what it prints is kept.

    Args:
        command: another one that serves until Ctrl-C.
        port: None leaves the choice to the project and the settings.
        more: further words of the command.
        settings: environment variables.
    """

    def __init__(self, project: Path, port: int | None, *more: str, command: str = "up", **settings: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        where = () if port is None else ("--port", str(port))
        self.process = subprocess.Popen(
            [OPSLOOP, command, "--project", str(project), *where, *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=environment(**settings),
            text=True,
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of one event."""
        found = [json.loads(line) for line in list(self.lines) if line.startswith("{")]
        return [line for line in found if line.get("event") == name]

    def wait_for(self, text: str, *, timeout_s: float = SAID_S) -> str:
        """Everything said once `text` was; fails with what was said when it does not come."""
        with self._news:
            self._news.wait_for(lambda: text in self.said or self._is_over(), timeout_s)
        assert text in self.said, f"{text!r} was not said:\n{self.said}"
        return self.said

    def ready(self) -> None:
        """Wait until requests are answered."""
        self.answers("/ready", 200, within_s=READY_S)

    def answers(self, path: str, status: int, *, within_s: float) -> httpx.Response:
        """Ask until the answer has a status; fails with what was said when it does not come."""
        pause = threading.Event()
        with httpx.Client(base_url=self.url, timeout=5.0, trust_env=False) as http:
            for _ in range(int(within_s / 0.05)):
                assert self.process.poll() is None, self.said
                try:
                    answer = http.get(path)
                    if answer.status_code == status:
                        return answer
                except httpx.TransportError:
                    pass
                pause.wait(0.05)
        raise AssertionError(f"{path} did not answer {status} within {within_s} s:\n{self.said}")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._close()

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Ctrl-C; returns the exit code."""
        self.process.send_signal(how)
        return self.ended(within_s=STOPPED_S)

    def ended(self, *, within_s: float) -> int:
        """Wait for the end; returns the exit code."""
        code = self.process.wait(within_s)
        self._close()
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line)
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def _is_over(self) -> bool:
        return self.process.poll() is not None

    def _close(self) -> None:
        self._reader.join(timeout=60)
        assert self.process.stdout is not None
        self.process.stdout.close()
