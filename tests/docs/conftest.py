"""A real platform for the examples of all pages, started once."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.warm import command as warm

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 120.0


@pytest.fixture(scope="session")
def platform_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a bare platform, run as a user runs it."""
    folder = tmp_path_factory.mktemp("platform")
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "opsloop"), "up", "--no-demo", "--port", str(port)],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            _wait_until_ready(url, process, folder / "log")
            yield url
        finally:
            process.terminate()
            code = process.wait(STOP_TIMEOUT_S)
    assert code == 0, f"the platform did not stop cleanly:\n{(folder / 'log').read_text()}"


@pytest.fixture
def page_folder(tmp_path: Path) -> Path:
    """Where a page's examples run: a folder with the examples of this repository in it."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns(".opsloop"))
    return tmp_path


@pytest.fixture
def page_environment(platform_url: str) -> dict[str, str]:
    return {**_environment(), "OPSLOOP_URL": platform_url}


def _environment() -> dict[str, str]:
    """This process's environment without its settings; the `opsloop` under test is found first."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("OPSLOOP_")}
    path = (str(warm.folder()), str(Path(sys.executable).parent), kept["PATH"])
    return {**kept, "PATH": os.pathsep.join(path), "COLUMNS": "100"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    # Another process comes up on its own time: look again until it is there, within a limit.
    pause = Event()
    with httpx.Client(base_url=url, timeout=5.0, trust_env=False) as client:
        for _ in range(int(START_TIMEOUT_S / 0.1)):
            if process.poll() is not None:
                break
            try:
                if client.get("/ready").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            pause.wait(0.1)
    raise AssertionError(f"the platform did not become ready:\n{log.read_text()}")
