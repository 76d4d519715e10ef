"""What the acceptance tests share: the sample project, a free port, runs that do not outlive their test."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.prometheus import Watchers
from tests.acceptance.up import ROOT, Up


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "support-chatbot"
    shutil.copytree(ROOT / "examples" / "support-chatbot", folder, ignore=shutil.ignore_patterns(".opsloop"))
    return folder


@pytest.fixture
def watchers(tmp_path: Path) -> Watchers:
    return Watchers(tmp_path)


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
