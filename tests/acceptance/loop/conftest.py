"""`opsloop up` as a user starts it, on a copy of the sample project."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[3]
READY_S = 90.0
STOPPED_S = 60.0


class Up:
    """One run of `opsloop up`; what it prints is kept."""

    def __init__(self, project: Path, port: int, *more: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("OPSLOOP_")}
        self.process = subprocess.Popen(
            [str(Path(sys.executable).parent / "opsloop"), "up", "--project", str(project), "--port", str(port), *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=environment,
            text=True,
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def wait_for(self, text: str, *, timeout_s: float) -> str:
        """Everything said once `text` was; fails with what was said when it does not come."""
        with self._news:
            self._news.wait_for(lambda: text in self.said or self._is_over(), timeout_s)
        assert text in self.said, f"{text!r} was not said:\n{self.said}"
        return self.said

    def ready(self) -> None:
        """Wait until requests are answered."""
        pause = threading.Event()
        with httpx.Client(base_url=self.url, timeout=5.0, trust_env=False) as http:
            for _ in range(int(READY_S / 0.05)):
                assert self.process.poll() is None, self.said
                try:
                    if http.get("/ready").status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                pause.wait(0.05)
        raise AssertionError(f"not ready after {READY_S} s:\n{self.said}")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._close()

    def stop(self) -> int:
        """Ctrl-C; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(STOPPED_S)
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
        self._reader.join(timeout=5)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "support-chatbot"
    shutil.copytree(ROOT / "examples" / "support-chatbot", folder, ignore=shutil.ignore_patterns(".opsloop"))
    return folder


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


@pytest.fixture
def started() -> Iterator[list[Up]]:
    """Runs that a test starts; what is left of them is killed at its end."""
    runs: list[Up] = []
    yield runs
    for run in runs:
        if run.process.poll() is None:
            run.kill()
