"""What a bare platform costs at rest, beside an MLflow tracking server: start, memory, disk.

Both run from a fresh environment with a plain install (`pip install .`: the core without extras), one process or worker
each, on SQLite in an empty folder.

* start: from the start of the process to the first 200 (`/ready`, MLflow's `/health`), after a first start that made
  the folder's files; median of three
* memory: resident memory of the process and its children 5 s after it answers, from /proc (Linux); pages that processes
  share are counted in each
* disk: everything in site-packages but pip and setuptools, byte code included

Run: python benchmarks/footprint.py
Goal: start <= 3 s, memory <= 150 MB, disk <= 150 MB.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from _peers import MLFLOW, ROOT, environment, install, installed_mb, peer

START_GOAL_S, MEMORY_GOAL_MB, DISK_GOAL_MB = 3.0, 150.0, 150.0
STARTS = 3
SETTLE_S = 5.0
START_LIMIT_S = 120.0
STOP_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Footprint:
    start_s: float
    memory_mb: float
    disk_mb: float

    def __str__(self) -> str:
        return f"start {self.start_s:.2f} s, memory {self.memory_mb:.0f} MB, disk {self.disk_mb:.0f} MB"


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="opsloop-footprint-") as folder:
        core = Path(folder) / "core"
        install(core, str(ROOT))
        ours = footprint(core, ["opsloop", "up", "--no-demo", "--port", "{port}"], "/ready")
    print(f"opsloop up --no-demo   {ours}")
    mlflow = ["mlflow", "server", "--port", "{port}", "--workers", "1", "--backend-store-uri", "sqlite:///mlflow.db"]
    theirs = footprint(peer(MLFLOW), mlflow, "/health")
    print(f"mlflow server          {theirs}")
    met = ours.start_s <= START_GOAL_S and ours.memory_mb <= MEMORY_GOAL_MB and ours.disk_mb <= DISK_GOAL_MB
    print(
        f"footprint: opsloop {ours}; mlflow {theirs}; goals <= {START_GOAL_S:.0f} s, {MEMORY_GOAL_MB:.0f} MB, "
        f"{DISK_GOAL_MB:.0f} MB: {'met' if met else 'MISSED'}"
    )
    return 0 if met else 1


def footprint(packages: Path, command: list[str], path: str) -> Footprint:
    """Measure a server.

    Args:
        packages: the environment it is installed in.
        command: how it is started; `{port}` stands for the port it is to listen on.
        path: what answers 200 once it is ready.
    """
    with tempfile.TemporaryDirectory(prefix="opsloop-footprint-") as name:
        folder = Path(name)
        starts, memory_mb = [], 0.0
        for number in range(STARTS + 1):
            with serving(packages, command, path, folder) as (process, start_s):
                if number > 0:
                    starts.append(start_s)
                if number == STARTS:
                    time.sleep(SETTLE_S)
                    memory_mb = resident_mb(process.pid)
    return Footprint(median(starts), memory_mb, installed_mb(packages))


@contextmanager
def serving(
    packages: Path, command: list[str], path: str, folder: Path
) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """A running server and the time in s it took until it answered."""
    port = free_port()
    words = [word.format(port=port) for word in command]
    started = time.perf_counter()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [packages / "bin" / words[0], *words[1:]],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            while not answers(port, path):
                if process.poll() is not None or time.perf_counter() - started > START_LIMIT_S:
                    raise SystemExit(f"{' '.join(words)} did not start:\n{(folder / 'log').read_text()}")
                time.sleep(0.01)
            yield process, time.perf_counter() - started
        finally:
            process.terminate()
            process.wait(STOP_LIMIT_S)


def answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def resident_mb(pid: int) -> float:
    """Resident memory of a process and all under it, in 10^6 bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()
    ]
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6 + sum(resident_mb(child) for child in children)


if __name__ == "__main__":
    sys.exit(main())
